/**
 * All the ways in which a server behind us might read a path. Rooms, policies, protected paths, upstreams and bypass
 * rules all match against these. Otherwise a visitor could get around a rule by the spelling of a path.
 *
 * Servers disagree about percent-encoded slashes, `;` parameters, backslashes, empty segments, spaces at the end of a
 * segment and double encoding. Each combination is a *reading*. Servers also serve one resource under several *names*:
 * with a slash at the end, with a format suffix, by its index page, or with more path after a script. A rule that
 * limits or blocks matches if any name of any reading matches. A bypass rule needs a path with a single reading.
 */

/** A path with more nested encodings, or a longer path, is an attempt to get around a rule. */
const DECODINGS_MAX = 2
const PATH_LENGTH_MAX = 4_096
/** The most suffixes and index pages in a row that are removed to find other names. */
const NAMINGS_MAX = 4
/** This character stands for a slash that is part of a segment's name. */
const LITERAL_SLASH = '\uFFFE'
const LITERAL_BACKSLASH = '\uFFFD'

/** The index page that many servers serve for a folder. */
const INDEX = /\/(?:index\.(?:html?|php\d?|aspx?|jsp|cgi)|default\.aspx?)(?:\.[^/]*)?(?=\/|$)/gi
/** Matches up to the first script in a path. Servers run it whatever follows its name (PATH_INFO of RFC 3875). */
const SCRIPT = /^.*?\.(?:php\d?|phtml|f?cgi|pl|py|aspx?|ashx|jspx?|cfm)(?=\/)/i

/** Names under which a server might serve what a path asks for. None ends in a slash, except `/` itself. */
export interface Names {
  readonly whole: readonly string[]
  /**
   * The names whose requests may share one budget. A reading with a slash inside a segment has only its own name here,
   * because that segment may be anything.
   */
  readonly stable: readonly string[]
  /** Names of a script that a server might run for this path. The rest of the path is an argument of the script. */
  readonly scripts: readonly string[]
}

export class Readings {
  /** Every plain path that the request path could mean. The first is fully decoded. */
  readonly paths: readonly string[]
  /**
   * True if all readings are the same once decoded. An encoded letter means only that letter, but an encoded slash may
   * mean two things.
   */
  readonly single: boolean
  /**
   * True if the path has no safe reading. It then falls under every room of its host, so that no server gets it
   * unguarded.
   */
  readonly unreadable: boolean
  #names: Names | undefined

  constructor(paths: readonly string[], single: boolean) {
    this.paths = paths
    this.single = single
    this.unreadable = paths.length === 0
  }

  /** The names of all readings. */
  get names(): Names {
    this.#names ??= namesOf(this.paths)
    return this.#names
  }
}

const UNREADABLE = new Readings([], false)

/** Returns the readings of a request target's path. `rawPath` is the path as it came, without the query. */
export function readingsOf(rawPath: string): Readings {
  // All servers read a usual path in the same way, so this one test is enough for it.
  if (/^\/(?!\/)[\w\-.~!$&'()*+,=:@/]*$/.test(rawPath) && !/\/\/|\/\./.test(rawPath))
    return new Readings([rawPath], true)
  if (rawPath.length > PATH_LENGTH_MAX) return UNREADABLE
  const paths = new Set<string>()
  for (const decoded of decodings(rawPath)) {
    if (decoded === null) return UNREADABLE
    for (const spaced of /\s/.test(decoded) ? [withoutSpaces(decoded), decoded] : [decoded]) {
      for (const backslash of ['/', LITERAL_BACKSLASH]) {
        for (const parameters of ['', null]) {
          let path = spaced.replaceAll('\\', backslash)
          if (parameters !== null) path = path.replaceAll(/;[^/]*/g, parameters)
          paths.add(withoutDots(path.replaceAll(/\/+/g, '/'))).add(withoutDots(path))
        }
      }
    }
  }
  const meanings = new Set([...paths].map(path => decodeFully(path)?.path))
  const single = meanings.size === 1
  // In one reading `..` removes a segment that another reading keeps. So a visitor could invent any number of names for
  // the path.
  return single || !goesUp(rawPath) ? new Readings([...paths], single) : UNREADABLE
}

function goesUp(rawPath: string): boolean {
  return /[/\\]\s*\.\.\s*(?=[/\\;]|$)/.test(decodeFully(rawPath)?.path ?? '')
}

/** True when `path` is `prefix` or lies below it. */
export function isBelow(path: string, prefix: string): boolean {
  if (prefix === '/') return true
  return path.startsWith(prefix) && (path.length === prefix.length || path[prefix.length] === '/')
}

/** Removes slashes at the end, because `/login/` and `/login` name the same resource. */
export function withoutSlash(path: string): string {
  let end = path.length
  while (end > 1 && path[end - 1] === '/') end--
  return end === path.length ? path : path.slice(0, end)
}

function namesOf(paths: readonly string[]): Names {
  // A usual path has one name, and a usual file two or three.
  const [path] = paths
  if (path !== undefined && paths.length === 1 && !/[^/]\/$|\.[^/]*\/|\/(?:index|default)\./i.test(path)) {
    const names = [path, ...stemsOf(path)]
    return { whole: names, stable: names, scripts: [] }
  }
  const whole = withOtherNames(paths)
  const scripts = whole.flatMap(name => SCRIPT.exec(name)?.[0] ?? [])
  const literal = paths.filter(one => one.includes(LITERAL_SLASH) || one.includes(LITERAL_BACKSLASH))
  const plain = literal.length === 0 ? whole : withOtherNames(paths.filter(one => !literal.includes(one)))
  return {
    whole,
    stable: [...plain, ...literal],
    scripts: scripts.length === 0 ? scripts : withOtherNames(scripts),
  }
}

/** Returns the paths with their other names, and the other names of those names. */
function withOtherNames(paths: readonly string[]): readonly string[] {
  const names = new Set(paths.map(withoutSlash))
  let added = [...names]
  for (let round = 0; round < NAMINGS_MAX && added.length > 0; round++) {
    added = added.flatMap(otherNames).filter(name => !names.has(name))
    for (const name of added) names.add(name)
  }
  return [...names]
}

function otherNames(name: string): readonly string[] {
  return [name.replaceAll(INDEX, ''), ...stemsOf(name)].map(one => withoutSlash(one.trimEnd() || '/'))
}

/**
 * Returns the name up to the first dot of its last segment, and up to the last dot. Routers pick a format by what
 * follows.
 */
function stemsOf(name: string): readonly string[] {
  const first = name.indexOf('.', name.lastIndexOf('/') + 2)
  if (first < 0) return []
  const last = name.lastIndexOf('.')
  return first === last ? [name.slice(0, first)] : [name.slice(0, first), name.slice(0, last)]
}

/** Removes the spaces at both ends of every segment and parameter, as some servers do. */
function withoutSpaces(path: string): string {
  return path
    .split(/([/\\;])/)
    .map(segment => segment.trim())
    .join('')
}

/**
 * Yields the path at each depth of decoding, fully decoded first. At each depth an encoded slash or backslash may have
 * been a separator or a part of a name. It is taken as a separator up to some depth, and as a part of a name beyond it.
 * Yields null if a server could read anything.
 */
function* decodings(rawPath: string): Generator<string | null> {
  const full = decodeFully(rawPath)
  if (full === null || hasControls(full.path)) return yield null
  // Fully decoded first, because most servers see the path so.
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

/** Decodes each percent sequence once. Returns null if a sequence is not UTF-8. */
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

/** Removes dot segments (RFC 3986 section 5.2.4). */
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
