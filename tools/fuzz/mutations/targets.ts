/** Other spellings of a target: some mean the same path, some another, some none. */
import type { Random } from '../../simulation/random.ts'
import type { Draft } from '../draft.ts'
import { REGIONS } from '../regions.ts'
import { pick } from './choice.ts'

type Change = (text: string, random: Random) => string

/** Separators between two segments. */
const SLASHES = [
  '//',
  '///',
  '//../',
  '/x//../',
  '/./',
  '/x/../',
  '/x/%2e%2e/',
  '%2f',
  '%2F',
  '%252f',
  '%5c',
  '\\',
  '/\\',
  '%2f%2f',
]
const PARAMETERS = [';/', ';a=b/', '/;/', '%3b/', '/.;/', '/..;/']
/** Ways from one path to another beside it. */
const BACK = ['/../', '//../', '//..//../', '/%2e%2e/', '/.%2E/', '/..%2f', '/..%5c', '\\..\\', '/..;/', '/%252e%252e/']
/** Endings of a path. */
const ENDS = ['/', '//', '/.', '%2f', '%20', '%00', '.json', '.php', ';', '%3b', '%09', '.', '..', '%', '%zz', '%c0%af']
const MARKS = ['"', "'", '`', '<', '{', '|', '^', '\x00', '\t', ' ', '\xe9', '\xc3\xa9', '\x7f', '<fuzz>', '%3Cfuzz%3E']
const CONTROL = [
  'status',
  'leave',
  'healthz',
  'jwks.json',
  'draws/sale',
  'admin/',
  'api/v1/rooms',
  'metrics',
  'nothing',
]
const PARAMETERS_OF_OURS = ['invite=forged', 'room=held', 'claim=1']
/** Other spellings of the parameters that bypass rules name. */
export const PARAMETERS_OF_RULES = [
  ...['call=0', 'CALL=0', 'call[]=0', 'call%5b%5d=0', '%63all=0', '%2563all=0', '+call=0', 'a;call=0', 'call=wc_y'],
  ...['add=5', 'ADD=5', '%61dd=5', 'add[0]=5', 'a;add=5', '+add=5', 'badd=5'],
]
const QUERIES = [...PARAMETERS_OF_OURS, ...PARAMETERS_OF_RULES, 'a=<fuzz>', 'a=\'"', 'a=\\', '?', 'a=%', 'a=\xe9']
const SCHEMES = ['http', 'https', 'HTTP', 'ftp', 'ws']
const AUTHORITIES = ['site.test', 'held.test', 'other.test', 'site.test:80', 'user@site.test']
const NO_PATHS = ['site.test:443', 'held.test', 'site.test:80?fz={id}', '?fz={id}', '#held', '/', '']
/** How often a part of the target is repeated. The runtime refuses the longest targets. */
const REPEATS = [600, 2_100, 8_000, 40_000]

const IN_PATHS: readonly Change[] = [
  (path, random) => changed(path, random, encoded),
  (path, random) => changed(path, random, letter => encoded(letter).replace('%', '%25')),
  (path, random) => changed(path, random, letter => encoded(letter).replace('%', '%2525')),
  (path, random) => changed(path, random, letter => letter.toUpperCase()),
  (path, random) => withSlash(path, random, pick(random, SLASHES)),
  (path, random) => withSlash(path, random, pick(random, SLASHES)),
  (path, random) => withSlash(path, random, pick(random, PARAMETERS)),
  (path, random) => anyPath(random) + pick(random, BACK) + path.slice(1),
  (path, random) => anyPath(random) + pick(random, BACK) + path.slice(1),
  (path, random) => path + pick(random, BACK) + anyPath(random).slice(1),
  (path, random) => path + pick(random, ENDS),
  (path, random) => path + pick(random, MARKS),
  (path, random) => path + '/x'.repeat(pick(random, REPEATS)),
  (path, random) => `/.waiting-room${pick(random, ['/..', '/%2e%2e', '/..%2f..', ''])}${path}`,
  (path, random) => `${path}/../.waiting-room/${pick(random, CONTROL)}`,
  (_, random) => `/.waiting-room/${pick(random, CONTROL)}`,
  (path, random) => `//${pick(random, AUTHORITIES)}${path}`,
  path => `/${path}`,
  path => path.slice(1),
]

const IN_QUERIES: readonly Change[] = [
  (target, random) => `${target}#${pick(random, ['a', '/held/a', '?fz=0'])}`,
  (target, random) => `${target}&${pick(random, QUERIES)}`,
  target => target.replace('?', '#?'),
  target => target.replace('?', '??'),
  target => target.replace('?', '%3f'),
  target => target.replace(/=(?=[^=]*$)/, '%3d'),
  target => target.replace(/&(?=[^&]*$)/, ';'),
  (target, random) => `${target}${pick(random, ['', '%', '+', '%26call=0', '%00', '%2526'])}`,
]

const FORMS: readonly Change[] = [
  (target, random) => `${pick(random, SCHEMES)}://${pick(random, AUTHORITIES)}${target}`,
  (target, random) => `http://${pick(random, [...AUTHORITIES, ''])}${target.slice(target.indexOf('?'))}`,
  (_, random) => pick(random, NO_PATHS),
  () => '*',
]

/** Changes the spelling of the path. Sometimes changes the spelling of the query, or the form of the target. */
export function target(draft: Draft, random: Random): Draft {
  const kind = random.next()
  if (kind < 0.12) return { ...draft, target: pick(random, IN_QUERIES)(draft.target, random) }
  if (kind < 0.24) return { ...draft, target: pick(random, FORMS)(draft.target, random) }
  const [path = '', ...query] = draft.target.split('?')
  const once = pick(random, IN_PATHS)(path, random)
  // Two changes together find more faults than each of them alone.
  const spelled = random.chance(0.4) ? pick(random, IN_PATHS)(once, random) : once
  return { ...draft, target: [spelled, ...query].join('?') }
}

function anyPath(random: Random): string {
  return pick(random, REGIONS).path
}

function encoded(letter: string): string {
  return `%${letter.charCodeAt(0).toString(16).padStart(2, '0')}`
}

/** Changes one character after the first slash. */
function changed(path: string, random: Random, to: (letter: string) => string): string {
  const at = 1 + random.below(Math.max(1, path.length - 1))
  return path.slice(0, at) + to(path[at] ?? 'a') + path.slice(at + 1)
}

function withSlash(path: string, random: Random, slash: string): string {
  const places = [...path.matchAll(/\//g)].map(match => match.index)
  const at = places.length === 0 ? 0 : pick(random, places)
  return path.slice(0, at) + slash + path.slice(at + 1)
}
