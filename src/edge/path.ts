/**
 * Which rooms a path falls under, whatever the servers behind us make of it.
 *
 * Servers disagree about percent-encoded slashes, `;` parameters, backslashes, empty segments and double encoding. A
 * path is therefore read in every way a server might read it: it falls under each room that any reading falls under,
 * and a bypass rule needs a path with a single reading.
 */

export interface Readings {
  /** Every plain path this could mean; the first is fully decoded. */
  readonly paths: readonly string[]
  /** All readings agree once decoded: an encoded letter is that letter, but an encoded slash may be two things. */
  readonly single: boolean
  /** No server should be sent here unguarded: the path falls under every room of its host. */
  readonly unreadable: boolean
}

/** More encodings inside one another, or a longer path, is an attempt to get around something. */
const DECODINGS_MAX = 2
const PATH_LENGTH_MAX = 4_096
/** Stands for a slash that is part of a segment's name. */
const LITERAL_SLASH = '\uFFFE'
const LITERAL_BACKSLASH = '\uFFFD'

const UNREADABLE: Readings = { paths: [], single: false, unreadable: true }

/** Reads the path of a request target: raw, as it came, without query. */
export function readingsOf(rawPath: string): Readings {
  // Nothing to disagree about: the usual path costs one test.
  if (/^\/(?!\/)[\w\-.~!$&'()*+,=:@/]*$/.test(rawPath) && !/\/\/|\/\./.test(rawPath)) {
    return { paths: [rawPath], single: true, unreadable: false }
  }
  if (rawPath.length > PATH_LENGTH_MAX) return UNREADABLE
  const paths = new Set<string>()
  for (const decoded of decodings(rawPath)) {
    if (decoded === null) return UNREADABLE
    for (const backslash of ['/', LITERAL_BACKSLASH]) {
      for (const parameters of ['', null]) {
        for (const empty of ['merged', 'kept'] as const) {
          let path = decoded.replaceAll('\\', backslash)
          if (parameters !== null) path = path.replaceAll(/;[^/]*/g, parameters)
          paths.add(withoutDots(empty === 'merged' ? path.replaceAll(/\/+/g, '/') : path))
        }
      }
    }
  }
  const meanings = new Set([...paths].map(path => decodeFully(path)?.path))
  return { paths: [...paths], single: meanings.size === 1, unreadable: false }
}

/** True when `path` is `prefix` or lies below it. */
export function isBelow(path: string, prefix: string): boolean {
  if (prefix === '/') return true
  return path.startsWith(prefix) && (path.length === prefix.length || path[prefix.length] === '/')
}

/** Routers that pick a format by suffix serve `/checkout.json` as `/checkout`. */
export function withoutSuffix(path: string): string {
  return path.replace(/(\/[^/.]+)\.[^/]*$/, '$1')
}

/**
 * The path decoded as often as there is something to decode. At each depth an encoded slash or backslash may have been
 * taken for a separator up to some depth, and for part of a name beyond. Null when a server could read anything.
 */
function* decodings(rawPath: string): Generator<string | null> {
  const full = decodeFully(rawPath)
  if (full === null || hasControls(full.path)) return yield null
  // Fully decoded first: it is what most servers see.
  for (let depth = full.depth; depth >= 0; depth--) {
    for (let separatorsUpTo = depth; separatorsUpTo >= 0; separatorsUpTo--) {
      let path = rawPath
      for (let level = 1; level <= depth; level++) path = decodeOnce(path, level <= separatorsUpTo) as string
      yield path
    }
  }
}

function decodeFully(rawPath: string): { path: string; depth: number } | null {
  let path = rawPath
  for (let depth = 0; depth <= DECODINGS_MAX; depth++) {
    if (!/%/.test(path)) return { path, depth }
    const decoded = decodeOnce(path, true)
    if (decoded === null) return null
    if (decoded === path) return { path, depth }
    path = decoded
  }
  return null
}

/** Decodes each percent sequence once; null where one is not UTF-8. */
function decodeOnce(path: string, separators: boolean): string | null {
  let broken = false
  const decoded = path.replaceAll(/(?:%[\da-f]{2})+/gi, sequence => {
    try {
      const text = decodeURIComponent(sequence)
      return separators ? text : text.replaceAll('/', LITERAL_SLASH).replaceAll('\\', LITERAL_BACKSLASH)
    } catch {
      broken = true
      return sequence
    }
  })
  return broken ? null : decoded
}

/** RFC 3986 section 5.2.4. */
function withoutDots(path: string): string {
  const kept: string[] = []
  const segments = path.split('/').slice(1)
  segments.forEach((segment, index) => {
    const last = index === segments.length - 1
    if (segment === '..') kept.pop()
    else if (segment !== '.') kept.push(segment)
    if (last && (segment === '..' || segment === '.')) kept.push('')
  })
  return `/${kept.join('/')}`
}

function hasControls(path: string): boolean {
  for (let i = 0; i < path.length; i++) if (path.charCodeAt(i) < 0x20 || path.charCodeAt(i) === 0x7f) return true
  return false
}
