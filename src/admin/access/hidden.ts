/**
 * Values that let requests by without a place: those of headers, cookies and queries in bypass rules. A person
 * who knows one passes the line, so only admins read them.
 */

const KEEPERS = ['header', 'cookie', 'query']
const HIDDEN = '(hidden)'

/** Returns the answer without these values. An answer that is no JSON stays as it is. */
export async function withoutPassingValues(response: Response): Promise<Response> {
  if (!response.headers.get('Content-Type')?.includes('json')) return response
  const text = await response.text()
  const hidden = JSON.stringify(JSON.parse(text, hide))
  return new Response(hidden, response)
}

function hide(key: string, value: unknown): unknown {
  if (!KEEPERS.includes(key) || typeof value !== 'object' || value === null) return value
  return 'value' in value ? { ...value, value: HIDDEN } : value
}
