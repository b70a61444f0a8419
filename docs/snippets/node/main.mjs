/**
 * Tries verify.mjs:
 *   node main.mjs --jwks FILE --aud ROOM TOKEN      prints claims or refusal; exit code 0 or 1
 *   node main.mjs --jwks FILE --aud ROOM -          reads a JSON list of tokens from stdin, and prints one line for each
 *   node main.mjs --jwks URL --aud ROOM --port N    an origin that answers with the claims; also the verifier for nginx
 * `--cookie NAME` reads the pass from this cookie where it is in no header.
 */
import { readFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { parseArgs } from 'node:util'
import { guard, Keys, verify } from './verify.mjs'

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    jwks: { type: 'string' },
    aud: { type: 'string' },
    port: { type: 'string' },
    'max-age': { type: 'string', default: '300' },
    cooldown: { type: 'string', default: '60' },
    cookie: { type: 'string' },
  },
})
const { jwks, aud: room, port, cookie = null } = values
const [token] = positionals

if (jwks && room && port) {
  const keys = Keys.from(jwks, { maxAgeSeconds: Number(values['max-age']), cooldownSeconds: Number(values.cooldown) })
  const exempt = request => request.url === '/healthz'
  createServer(guard(site, { keys, room, exempt, cookie })).listen(Number(port), '127.0.0.1')
} else if (jwks && room && token !== undefined) {
  const keys = new Keys(async () => JSON.parse(readFileSync(jwks, 'utf8')))
  const tokens = token === '-' ? JSON.parse(readFileSync(0, 'utf8')) : [token]
  for (const one of tokens) {
    const result = await verify(one, { keys, room })
    console.log(JSON.stringify(result))
    if (!result.claims) process.exitCode = 1
  }
} else {
  console.error('usage: main.mjs --jwks FILE --aud ROOM TOKEN | main.mjs --jwks URL --aud ROOM --port N')
  process.exitCode = 2
}

/** The site behind the guard. Every line of its log names the session. */
function site(request, response, claims) {
  const session = claims?.sub ?? '-'
  console.log(`${session} ${request.method} ${request.url}`)
  response.setHeader('Content-Type', 'application/json')
  response.setHeader('Waiting-Room-Session', session)
  response.end(JSON.stringify({ claims }))
}
