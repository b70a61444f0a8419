/**
 * The ways in which servers may read a query. This is written without the gate's own reading of queries, so that the
 * fuzzer does not repeat the gate's mistakes.
 */

/** A parameter as one server reads it. */
type Pair = readonly [name: string, value: string]
type Server = (query: string) => readonly Pair[]

/** Each server decodes and splits a query, and reads the names of parameters, in its own way. */
const SERVERS: readonly Server[] = [
  query => [...new URLSearchParams(query)],
  query => split(query, /&/).map(([name, value]) => [name, value]),
  query => split(query, /[&;]/).map(([name, value]) => [name.toLowerCase(), value]),
  query => split(decoded(query), /[&;]/).map(([name, value]) => [name.trim(), decoded(value)]),
  // PHP removes `[...]` from a name, and the spaces before the name.
  query =>
    split(query, /&/).map(([name, value]) => [name.trimStart().replace(/\[.*$/, '').replaceAll(/[. ]/g, '_'), value]),
]

/**
 * Returns the values that servers may read for a parameter. For each server these are the first value and the last, or
 * null if there is none.
 */
export function valuesOfParameter(query: string, name: string): readonly (string | null)[] {
  return SERVERS.flatMap(server => {
    const own = server(query).filter(([found]) => found === name)
    return [own[0]?.[1] ?? null, own.at(-1)?.[1] ?? null]
  })
}

/** Returns the query of a target, without its `?`. */
export function queryOf(target: string): string {
  return /\?([^#]*)/.exec(target)?.[1] ?? ''
}

function split(query: string, separator: RegExp): readonly Pair[] {
  return query.split(separator).map(pair => {
    const [name = '', ...rest] = pair.split('=')
    return [decoded(name), decoded(rest.join('='))]
  })
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text.replaceAll('+', ' '))
  } catch {
    return text
  }
}
