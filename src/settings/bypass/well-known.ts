/**
 * Files that programs load from fixed addresses before or beside everything else: certificate authorities, crawlers,
 * app stores, advertisers. A line would be of no use to them. Many of them stay away for days after one failed load.
 *
 * A query makes another address of it. A program with one entrance may obey the query whatever the path, and serve any
 * page at `/robots.txt?page=5`.
 */
import type { Readings } from '../../core/path.ts'
import { bypassPath } from '../patterns.ts'
import type { BypassRule } from './rule.ts'

/** RFC 8615. People and apps load some of these, too. */
const FOLDER = '/.well-known/*'
const FILES = [
  '/robots.txt',
  '/sitemap([\\w\\-]*).xml{.gz}?',
  '/favicon.ico',
  '/apple-touch-icon([\\w\\-]*).png',
  '/ads.txt',
  '/app-ads.txt',
  '/sellers.json',
  '/humans.txt',
  '/security.txt',
  '/apple-app-site-association',
]

export const WELL_KNOWN_PATHS: readonly string[] = [FOLDER, ...FILES]
export const WELL_KNOWN_RULES: readonly BypassRule[] = WELL_KNOWN_PATHS.map(path => ({
  path,
  methods: ['GET', 'HEAD'],
  without_query: true,
}))

const FILE_TESTS = FILES.map(bypassPath)

/** Whether the path is that of a file which no person reads as a page. */
export function isWellKnownFile(readings: Readings): boolean {
  return FILE_TESTS.some(matches => matches(readings))
}
