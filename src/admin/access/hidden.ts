/**
 * Hides the values of headers, cookies and queries that let a request pass by a bypass rule. A person who knows such a
 * value can skip the line, so only admins may read them.
 */

const KEEPERS = ['header', 'cookie', 'query']
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
  return 'value' in value ? { ...value, value: HIDDEN } : value
}
