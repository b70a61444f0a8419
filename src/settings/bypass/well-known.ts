/**
 * Files that programs load from fixed addresses: certificate authorities, crawlers, app stores, advertisers. A place in
 * line is useless to these programs. Many of them stay away for days after one failed load.
 *
 * An address with a query is not one of them. Some sites have one script for all paths, which may obey the query and
 * serve any page at `/robots.txt?page=5`.
 */
import type { Readings } from '../../core/path.ts'
import { bypassPath } from '../patterns.ts'
import type { BypassRule } from './rule.ts'

/** The folder of RFC 8615. People and apps load some files in it, too. */
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

/** True if the path is that of a file which no person reads as a page. */
export function isWellKnownFile(readings: Readings): boolean {
  return FILE_TESTS.some(matches => matches(readings))
}
