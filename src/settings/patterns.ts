/** Path patterns and methods as operators write them. */
import { textLike, textThat } from './messages.ts'

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
