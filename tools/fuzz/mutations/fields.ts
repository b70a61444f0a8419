/** Header fields that change the meaning of a request for a proxy, a router, a framework, a browser, or the Worker. */
import type { Random } from '../../simulation/random.ts'
import { type Draft, withLines } from '../draft.ts'
import { FORGED } from '../forwarded.ts'
import { SECRET } from '../regions.ts'
import { pick } from './choice.ts'

/** Headers that a proxy sets for the servers behind it. A visitor's own must never reach the origin. */
const SPOKEN_BY_PROXIES = [
  ...['For', 'Host', 'Proto', 'Port', 'Server', 'Scheme', 'Ssl', 'Uri', 'Prefix', 'User'].map(
    what => `X-Forwarded-${what}`,
  ),
  ...['URL', 'URI', 'Host', 'Method'].map(what => `X-Original-${what}`),
  ...['Pass', 'Session', 'Token', 'Command', 'Mode', 'Invite'].map(what => `Waiting-Room-${what}`),
  ...[
    'X-HTTP-Method-Override',
    'X-HTTP-Method',
    'X-Method-Override',
    'X-Rewrite-URL',
    'X-Host',
    'X-HTTP-Host-Override',
  ],
  ...[
    'Forwarded',
    'X-Real-IP',
    'X-Client-IP',
    'Client-IP',
    'True-Client-IP',
    'CF-Connecting-IP',
    'X-Cluster-Client-IP',
  ],
  ...['Proxy', 'X-Middleware-Subrequest', 'Remote-User', 'X-Remote-User', 'X-SSL-Client-Verify', 'X-Auth-Request-User'],
]
const FORGERIES = ['', '-127.7.0.1', '/held', ', 127.7.0.1', '; q=1']

const UPGRADES = [
  'Upgrade: websocket',
  'Upgrade: WebSocket',
  'upgrade:websocket',
  'Upgrade: h2c',
  'Upgrade: h2c, websocket',
  'Upgrade: websocket, h2c',
  'Upgrade: websocket/13',
  'Upgrade: ',
  'Upgrade: TLS/1.0',
  'Upgrade:\twebsocket',
]
const CONNECTIONS = [
  'Connection: Upgrade',
  'Connection: upgrade',
  'Connection: keep-alive, Upgrade',
  'Connection: close',
  'Connection: keep-alive',
  'Connection: close, Upgrade',
  'Connection: X-Monitor',
  'Connection: Host',
  'Connection: Cookie, Origin',
  'Connection: ',
  'Connection: Access-Control-Request-Method',
  'Keep-Alive: timeout=9',
  'Proxy-Connection: keep-alive',
  'HTTP2-Settings: AAMAAABk',
]
const OTHERS = [
  'Origin: https://elsewhere.test',
  'Origin: null',
  'Origin:',
  'Access-Control-Request-Method: POST',
  'Access-Control-Request-Method:',
  'Access-Control-Request-Headers: X-A',
  'Sec-Fetch-Dest: document',
  'Sec-Fetch-Dest: script',
  'Sec-Fetch-Dest: empty',
  'Sec-Fetch-Mode: cors',
  'Sec-Fetch-Mode: navigate',
  'Sec-Fetch-Site: cross-site',
  'Sec-Fetch-User: ?1',
  'Sec-Purpose: prefetch',
  'Purpose: prefetch',
  'Accept: application/json',
  'Accept: text/html',
  'Accept: */*',
  'Accept: Application/Problem+JSON;q=0',
  'Accept: text/html, application/json',
  'Accept:',
  'Range: bytes=0-4',
  'If-None-Match: *',
  'If-Modified-Since: x',
  'TE: trailers',
  'TE: chunked',
  'Trailer: Host',
  'Max-Forwards: 0',
  'Expect: 100-continue',
  'Expect: nonsense',
  'Authorization: Basic eDp5',
  'Proxy-Authorization: Basic eDp5',
  `X-Monitor: ${SECRET}`,
  `X-Monitor: ${SECRET}`,
  `x_monitor: ${SECRET}`,
  `X-Monitor:${SECRET} `,
  `X-Monitor: ${SECRET}, x`,
  'Cache-Control: only-if-cached',
  'Content-Type: application/x-www-form-urlencoded',
  'Content-Type: text/plain',
  'Content-Encoding: gzip',
  'User-Agent: <fuzz>',
  'Accept-Language: de, <fuzz>',
  'Accept-Encoding: gzip, br',
  'Referer: https://elsewhere.test/<fuzz>',
  'Service-Worker: script',
  'X-Purpose: preview',
  'Via: 1.1 a',
  'DNT: 1',
  'Early-Data: 1',
  'CF-Worker: site.test',
  'CDN-Loop: cloudflare',
]
/** Lines that are not headers, or are malformed. */
const BROKEN = [
  'no colon',
  ': no name',
  'X A: b',
  'X-A : b',
  'X-A: a\x00b',
  'X-A: a\r b',
  'X-A: caf\xc3\xa9 \xff',
  ' X-A: folded',
  'X-A: a\n folded',
  'X-(A): b',
  'X-A: a\nUpgrade: websocket',
  '\xc3\xa9: a',
  `X-Long: ${'b'.repeat(20_000)}`,
  `${'X'.repeat(5_000)}: b`,
  '=?: a',
  'X-A;b: c',
]

export function field(draft: Draft, random: Random): Draft {
  return inserted(draft, random, pick(random, [...CONNECTIONS, ...OTHERS, ...OTHERS, ...UPGRADES]))
}

export function upgrade(draft: Draft, random: Random): Draft {
  const line = pick(random, UPGRADES)
  const others = [pick(random, CONNECTIONS), ...(random.chance(0.3) ? [pick(random, UPGRADES)] : [])]
  return withLines(draft, line, ...others.filter(() => random.chance(0.7)))
}

/** Makes the request look like a preflight, whatever its method is. */
export function preflight(draft: Draft, random: Random): Draft {
  const method = random.chance(0.7) ? 'OPTIONS' : draft.method
  const lines = ['Origin: https://elsewhere.test', 'Access-Control-Request-Method: POST']
  const more = random.chance(0.3) ? ['Authorization: Basic eDp5'] : []
  return { ...withLines(draft, ...lines, ...more), method }
}

export function forgery(draft: Draft, random: Random): Draft {
  const name = pick(random, SPOKEN_BY_PROXIES)
  const spelled = pick(random, [name, name, name.toLowerCase(), name.replaceAll('-', '_'), name.replace('-', '_')])
  const line = `${spelled}: ${FORGED}${pick(random, FORGERIES)}`
  return inserted(draft, random, ...(random.chance(0.15) ? [line, line] : [line]))
}

export function brokenLine(draft: Draft, random: Random): Draft {
  return inserted(draft, random, pick(random, BROKEN))
}

/** Inserts a line anywhere in the head: some servers take the first of two, some the last. */
function inserted(draft: Draft, random: Random, ...added: readonly string[]): Draft {
  const lines = [...draft.lines]
  lines.splice(random.below(lines.length + 1), 0, ...added)
  return { ...draft, lines }
}
