/** Path patterns and methods as operators write them. */
import { textLike, textThat } from './messages.ts'

/** URL Pattern (WHATWG) for a path, anchored at both ends. */
export const pathPattern = () => textThat(isPathPattern, 'a path pattern like /checkout/* that begins with /')

export const method = () => textLike(/^[A-Z]+$/, 'an HTTP method in capitals')

/** Tells whether a path is one of these. The fixed beginnings are looked at first: most paths have none of them. */
export function compilePatterns(patterns: readonly string[]): (pathname: string) => boolean {
  const compiled = patterns.map(text => ({
    beginning: /^[^*:({?+\\]*/.exec(text)?.[0] ?? '',
    pattern: new URLPattern({ pathname: text }),
  }))
  return pathname =>
    compiled.some(({ beginning, pattern }) => pathname.startsWith(beginning) && pattern.test({ pathname }))
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
