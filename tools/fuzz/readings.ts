/**
 * The ways in which servers may read a path. This is written without the gate's own reading of paths, so that the
 * fuzzer does not repeat the gate's mistakes.
 */

/** Servers do one or more of these, in any order. */
const STEPS: readonly ((path: string) => string)[] = [
  decoded,
  path => path.replaceAll('\\', '/'),
  path => path.replaceAll(/;[^/]*/g, ''),
  path => path.replaceAll(/\/{2,}/g, '/'),
  withoutDots,
]
/** The search for readings of a path ends at this number. No path of the fuzzer needs so many. */
const READINGS_MAX = 300

/** Returns every path that a server might serve for this one. */
export function readings(path: string): readonly string[] {
  const found = new Set([path])
  for (const reading of found) {
    for (const step of STEPS) found.add(step(reading))
    if (found.size > READINGS_MAX) break
  }
  // Every server resolves dot segments, but servers differ in when they do.
  return [...found].filter(reading => withoutDots(reading) === reading)
}

/** The path without a format at its end: routers serve `/checkout.json` as `/checkout`. */
export function withoutFormat(path: string): string {
  return path.replace(/(\/[^/.]+)\.[^/]*$/, '$1')
}

/** The path as most routers see it: `/login/` and `/login%20` are `/login`. */
export function withoutEnd(path: string): string {
  return path.replace(/(?<=[^/])[/\s]+$/, '')
}

export function isUnder(path: string, prefix: string): boolean {
  return prefix === '/' || path === prefix || path.startsWith(`${prefix}/`)
}

function decoded(path: string): string {
  return path.replaceAll(/(?:%[\da-f]{2})+/gi, sequence => {
    try {
      return decodeURIComponent(sequence)
    } catch {
      return sequence
    }
  })
}

/** RFC 3986 section 5.2.4. */
export function withoutDots(path: string): string {
  const kept: string[] = []
  const segments = path.split('/').slice(1)
  for (const [index, segment] of segments.entries()) {
    const isDots = segment === '.' || segment === '..'
    if (segment === '..') kept.pop()
    if (!isDots) kept.push(segment)
    else if (index === segments.length - 1) kept.push('')
  }
  return `/${kept.join('/')}`
}
