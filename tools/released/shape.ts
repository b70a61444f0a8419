/** Lists the members of a message and their types. The version that reads the message relies on them. */

/** Members that are maps: their keys are data. All values of a map have one type. */
const MAPS = /^(cells|lanes|gone|texts|upstreams)$/

/** Returns the types of all members by their path. All elements of a list have the path of the list. */
export function typesIn(message: unknown, path = ''): Map<string, string> {
  const found = new Map([[path, typeOf(message)]])
  if (typeof message !== 'object' || message === null) return found
  const name = path.slice(path.lastIndexOf('.') + 1)
  for (const [key, value] of Object.entries(message)) {
    const step = Array.isArray(message) ? '[]' : MAPS.test(name) ? '.*' : `.${key}`
    for (const [inner, type] of typesIn(value, path + step)) {
      const known = found.get(inner)
      found.set(inner, known === undefined || known === 'null' ? type : known)
    }
  }
  return found
}

function typeOf(value: unknown): string {
  return value === null ? 'null' : Array.isArray(value) ? 'list' : typeof value
}

/**
 * Returns the members of the old messages of one kind that the new ones lack, or have with another type. A member that
 * not all old messages have is optional: only its type counts.
 */
export function missing(old: readonly unknown[], now: readonly unknown[]): string[] {
  const before = old.map(message => typesIn(message))
  const after = now.map(message => typesIn(message))
  const paths = new Set(before.flatMap(types => [...types.keys()]))
  return [...paths].filter(path => {
    const types = new Set(after.flatMap(each => each.get(path) ?? []))
    const isRequired = before.every(each => each.has(path))
    if (types.size === 0) return isRequired
    const wanted = new Set(before.flatMap(each => each.get(path) ?? []))
    return ![...wanted].some(type => type === 'null' || types.has(type) || types.has('null'))
  })
}
