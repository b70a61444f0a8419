/**
 * Bodies of requests to the admin API. JSON is read strictly: what other parsers ignore silently is refused by name,
 * because the operator who wrote it meant something.
 */
import { fail } from './refusals.ts'

/** No setting is half as deep. Deeper values would exhaust the stack of the code that processes them. */
const DEPTH_MAX = 32
/** `curl -d` sends the type of a form. Programs that send no type mean JSON as well. */
const TYPES = ['application/json', 'application/x-www-form-urlencoded', 'text/json', 'text/plain']
/**
 * Matches the parts of valid JSON that show its structure: strings and brackets. A string with a colon behind it is a
 * name, so the colon is part of the match.
 */
const TOKEN = /"[^"\\]*(?:\\.[^"\\]*)*"(?:\s*(:))?|[{}[\]]/g

/** Returns the value of the body, or the answer that explains the problem with it. */
export async function readJson(request: Request): Promise<{ readonly value: unknown } | Response> {
  const type = (request.headers.get('Content-Type') ?? '').split(';')[0]?.trim().toLowerCase() ?? ''
  if (type !== '' && !TYPES.includes(type)) {
    const detail = `The body has the type ${type}. Send an object of settings as application/json.`
    return fail(415, 'The body is not JSON', detail, { headers: { 'Accept-Patch': 'application/json' } })
  }
  const text = decoded(await request.arrayBuffer())
  if (text === null) return fail(400, 'The body is not UTF-8', 'JSON is sent as UTF-8 (RFC 8259).')
  try {
    const value: unknown = JSON.parse(text)
    const problem = problemIn(text)
    return problem === null ? { value } : fail(400, 'The body cannot be used', problem)
  } catch (error) {
    if (error instanceof SyntaxError) return fail(400, 'The body is not JSON', error.message)
    throw error
  }
}

function decoded(bytes: ArrayBuffer): string | null {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: false }).decode(bytes)
  } catch (error) {
    if (error instanceof TypeError) return null
    throw error
  }
}

/**
 * Returns a problem with valid JSON, or null. Problems are too deep nesting, a name given twice, and the name
 * `__proto__`.
 */
function problemIn(text: string): string | null {
  /** The names seen so far in each open object; null for a list. */
  const open: (Set<string> | null)[] = []
  for (const [token, colon] of text.matchAll(TOKEN)) {
    if (token === '}' || token === ']') open.pop()
    else if (token === '{' || token === '[') {
      if (open.push(token === '{' ? new Set() : null) > DEPTH_MAX) return `It is nested more than ${DEPTH_MAX} deep.`
    } else if (colon !== undefined) {
      const name = JSON.parse(token.slice(0, -1)) as string
      if (name === '__proto__') return 'There is no setting "__proto__".'
      const names = open.at(-1)
      if (names?.has(name)) return `${token.slice(0, -1).trim()} is given twice in one object.`
      names?.add(name)
    }
  }
  return null
}
