/** The origin behind the gate in tests. It echoes the request, and obeys its `X-Answer-*` headers. Runs in node. */
export async function origin(request: Request): Promise<Response> {
  const url = new URL(request.url)
  if (url.hostname === 'chat.example') return new Response('ok')
  if (url.hostname === 'challenges.cloudflare.com') return siteverify(await request.formData())
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

const REDEEMED = new Set<string>()

/**
 * Stands in for the siteverify of Turnstile, and refuses as it does. A token is `kind:cdata:more`. A token of the kind
 * `good` is genuine once, and any other kind names a way to fail.
 */
async function siteverify(form: FormData): Promise<Response> {
  const [secret, token] = [form.get('secret'), String(form.get('response') ?? '')]
  const refused = (code: string) => Response.json({ success: false, 'error-codes': [code], messages: [] })
  if (secret === null || secret === '') return refused('missing-input-secret')
  if (secret !== 'the-secret-of-turnstile') return refused('invalid-input-secret')
  if (token === '') return refused('missing-input-response')
  const [kind, cdata] = token.split(':')
  if (kind === 'dead') return new Response('<h1>Bad gateway</h1>', { status: 502 })
  if (kind === 'slow') await new Promise(resolve => setTimeout(resolve, 6_000))
  if (kind === 'internal') return refused('internal-error')
  if (kind === 'odd') return refused('a-code-of-tomorrow')
  if (kind === 'old' || REDEEMED.has(token)) return refused('timeout-or-duplicate')
  if (kind !== 'good') return refused('invalid-input-response')
  REDEEMED.add(token)
  const at = new Date().toISOString()
  return Response.json({ success: true, challenge_ts: at, hostname: 'shop.test', 'error-codes': [], action: '', cdata })
}

function hexOf(bytes: ArrayBuffer): string {
  return Buffer.from(bytes).toString('hex')
}

/** Begins an answer and never ends it. */
function stopping(): ReadableStream<Uint8Array> {
  return new ReadableStream({ start: controller => controller.enqueue(new TextEncoder().encode('and then')) })
}
