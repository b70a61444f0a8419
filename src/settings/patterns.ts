/** Patterns of hosts, paths and methods, as operators write them. No other file matches a path against a pattern. */
import { type Readings, withoutSlash } from '../core/path.ts'
import { textLike, textThat } from './messages.ts'

/** The hosts of a room: one host, all hosts below a domain, or every host. */
export const hostPattern = () =>
  textLike(
    /^(\*|(\*\.)?([a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?\.)*[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?|\d+(\.\d+){3})$/i,
    'a host name, *.example.com or * for every host, without scheme and port',
  ).transform(text => text.toLowerCase())

/** Returns whether a host name matches a pattern. A dot at the end of the name (the DNS root) is ignored. */
export function matchesHost(hostname: string, pattern: string): boolean {
  const name = hostname.toLowerCase().replace(/\.$/, '')
  if (pattern === '*') return true
  return pattern.startsWith('*.') ? name.endsWith(pattern.slice(1)) : name === pattern
}

/** A URL Pattern (WHATWG) for a path. It must match the whole path. */
export const pathPattern = () => textThat(isPathPattern, 'a path pattern like /checkout/* that begins with /')

export const method = () => textLike(/^[A-Z]+$/, 'an HTTP method in capitals')

export interface PathRule {
  /** True if the rule applies to a path. Every rule applies to a path that cannot be read. */
  matches(readings: Readings): boolean
  /** Returns the same name for all paths that the rule treats as one. */
  nameOf(readings: Readings): string
}

interface PathRuleOptions {
  /** True if the origin treats `/Login` and `/login` as one path. */
  readonly ignoreCase: boolean
  /**
   * True if a path with a slash at the end, a format suffix, an index page or more path after a script is another path.
   */
  readonly exact?: boolean
}

/**
 * A rule that limits, protects or blocks paths. Null means all paths. The rule matches generously, because another
 * spelling must not get around it. Any reading counts. Unless the rule is `exact`, any name of the path counts, too.
 */
export function pathRule(patterns: readonly string[] | null, { ignoreCase, exact = false }: PathRuleOptions): PathRule {
  const compiled = patterns?.map(pattern => patternTest(pattern, { ignoreCase, exact }))
  const alike = (path: string) => (ignoreCase ? path.toLowerCase() : path)
  const test = (path: string) => !compiled || compiled.some(matches => matches(path, alike(path)))
  const shortest = (paths: readonly string[]) =>
    paths.filter(test).reduce<string | null>((a, b) => (a === null || b.length < a.length ? b : a), null)
  return {
    matches: readings => {
      if (!compiled || readings.unreadable) return true
      if (exact) return readings.paths.some(test)
      return readings.names.whole.some(test) || readings.names.scripts.some(test)
    },
    nameOf: readings => {
      if (exact) return alike(shortest(readings.paths) ?? '?')
      const { stable, whole, scripts } = readings.names
      const name = shortest(stable) ?? shortest(whole) ?? shortest(scripts)
      return alike(name ?? '?')
    },
  }
}

/**
 * A rule that lets requests bypass the room. Null means any path. The rule matches strictly: the path must have only
 * one reading, and must match the pattern exactly as it is written.
 */
export function bypassPath(pattern: string | null): (readings: Readings) => boolean {
  if (pattern === null) return ({ single }) => single
  const matches = patternTest(pattern, { ignoreCase: false, exact: true })
  return ({ paths: [path = ''], single }) => single && matches(path, path)
}

type PatternTest = (path: string, alike: string) => boolean

/**
 * Tests paths against a URL Pattern (WHATWG), which must match the whole path. Most patterns are plain or end in `*`,
 * so one comparison is enough. For the others, the fixed beginning and a format at the end are compared first, because
 * a full test costs a few microseconds. `alike` is the path, in lower case if case is ignored.
 */
function patternTest(pattern: string, { ignoreCase, exact }: Required<PathRuleOptions>): PatternTest {
  const text = ignoreCase ? pattern.toLowerCase() : pattern
  if (/^\/[\w\-./~]*$/.test(text)) {
    const path = exact ? text : withoutSlash(text)
    return (_, alike) => alike === path
  }
  if (/^\/[\w\-./~]*\/\*$/.test(text)) {
    const start = text.slice(0, -1)
    const folder = withoutSlash(start)
    return (_, alike) => alike.startsWith(start) || (!exact && alike === folder)
  }
  const beginning = /^[^*:({?+\\]*/.exec(text)?.[0] ?? ''
  const ending = /[)}](\.\w+)$/.exec(text)?.[1] ?? ''
  const compiled = new URLPattern({ pathname: pattern }, { ignoreCase })
  return (path, alike) => {
    // A name never ends in a slash, but the pattern may require one.
    if (!alike.startsWith(beginning) && (exact || `${alike}/` !== beginning)) return false
    if (!alike.endsWith(ending)) return false
    return compiled.test({ pathname: path }) || (!exact && compiled.test({ pathname: `${path}/` }))
  }
}

function isPathPattern(text: string): boolean {
  if (!text.startsWith('/')) return false
  try {
    new URLPattern({ pathname: text })
    return true
  } catch {
    return false
  }
}
