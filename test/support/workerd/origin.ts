/** The origin behind the gate in tests: it tells what it got, and does what the path asks. Runs in node. */
export async function origin(request: Request): Promise<Response> {
  const url = new URL(request.url)
  if (url.hostname !== 'origin.test') return new Response(`nobody is at ${url.hostname}`, { status: 502 })
  const body = request.body === null ? '' : await request.text()
  const headers: [string, string][] = [['Content-Type', 'application/json']]
  for (const [name, value] of new URLSearchParams(request.headers.get('X-Answer-With') ?? ''))
    headers.push([name, value])
  const told = { method: request.method, url: request.url, headers: Object.fromEntries(request.headers), body }
  return new Response(JSON.stringify(told), { status: Number(request.headers.get('X-Answer-Status') ?? 200), headers })
}
