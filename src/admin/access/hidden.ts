/**
 * Values that let requests by without a place: those of headers, cookies and queries in bypass rules, and the
 * beginnings of such values. A person who knows one passes the line, so only admins read them.
 */

const KEEPERS = ['header', 'cookie', 'query']
const SECRETS = ['value', 'prefix']
const HIDDEN = '(hidden)'

/** Returns the response without these values. A response that is no JSON stays as it is. */
export async function withoutPassingValues(response: Response): Promise<Response> {
  if (!response.headers.get('Content-Type')?.includes('json')) return response
  const text = await response.text()
  const hidden = JSON.stringify(JSON.parse(text, hide))
  return new Response(hidden, response)
}

function hide(key: string, value: unknown): unknown {
  if (!KEEPERS.includes(key) || typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([name, part]) => [name, SECRETS.includes(name) ? HIDDEN : part]))
}
