/** Patterns of hosts and paths, and methods, as operators write them. */
import { textLike, textThat } from './messages.ts'

/** The hosts of a room: one, all below a domain, or every host. */
export const hostPattern = () =>
  textLike(
    /^(\*|(\*\.)?([a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?\.)*[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?|\d+(\.\d+){3})$/i,
    'a host name, *.example.com or * for every host, without scheme and port',
  ).transform(text => text.toLowerCase())

/** Whether a host name, with or without the dot of the root, is one of a pattern's. */
export function matchesHost(hostname: string, pattern: string): boolean {
  const name = hostname.toLowerCase().replace(/\.$/, '')
  if (pattern === '*') return true
  return pattern.startsWith('*.') ? name.endsWith(pattern.slice(1)) : name === pattern
}

/** URL Pattern (WHATWG) for a path, anchored at both ends. */
export const pathPattern = () => textThat(isPathPattern, 'a path pattern like /checkout/* that begins with /')

export const method = () => textLike(/^[A-Z]+$/, 'an HTTP method in capitals')

/**
 * Tells whether a path is one of these; `ignoreCase` where the origin does not tell cases apart. The fixed beginnings are looked at first: most paths
 * have none of them.
 */
export function compilePatterns(patterns: readonly string[], ignoreCase = false): (pathname: string) => boolean {
  const alike = (text: string) => (ignoreCase ? text.toLowerCase() : text)
  const compiled = patterns.map(text => ({
    beginning: alike(/^[^*:({?+\\]*/.exec(text)?.[0] ?? ''),
    pattern: new URLPattern({ pathname: text }, { ignoreCase }),
  }))
  return pathname => {
    const begins = alike(pathname)
    return compiled.some(({ beginning, pattern }) => begins.startsWith(beginning) && pattern.test({ pathname }))
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
