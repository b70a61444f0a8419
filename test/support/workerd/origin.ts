/** The origin behind the gate in tests. It echoes the request, and obeys its `X-Answer-*` headers. Runs in node. */
export async function origin(request: Request): Promise<Response> {
  const url = new URL(request.url)
  if (url.hostname === 'chat.example') return new Response('ok')
  if (url.hostname !== 'origin.test') return new Response(`nobody is at ${url.hostname}`, { status: 502 })
  const isHex = request.headers.get('X-Answer-Body') === 'hex'
  const body = request.body === null ? '' : isHex ? hexOf(await request.arrayBuffer()) : await request.text()
  const headers: [string, string][] = [['Content-Type', 'application/json']]
  for (const [name, value] of new URLSearchParams(request.headers.get('X-Answer-With') ?? ''))
    headers.push([name, value])
  await new Promise(resolve => setTimeout(resolve, Number(request.headers.get('X-Answer-After-Ms') ?? 0)))
  const told = { method: request.method, url: request.url, headers: Object.fromEntries(request.headers), body }
  if (request.headers.has('X-Answer-Stops')) return new Response(stopping(), { headers })
  return new Response(JSON.stringify(told), { status: Number(request.headers.get('X-Answer-Status') ?? 200), headers })
}

function hexOf(bytes: ArrayBuffer): string {
  return Buffer.from(bytes).toString('hex')
}

/** Begins an answer and never ends it. */
function stopping(): ReadableStream<Uint8Array> {
  return new ReadableStream({ start: controller => controller.enqueue(new TextEncoder().encode('and then')) })
}
