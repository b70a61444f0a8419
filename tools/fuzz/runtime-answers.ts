/**
 * Answers to requests that the runtime cannot read. It gives them before it calls the Worker, so the contract cannot
 * hold. Each entry states what must be wrong with the request: otherwise a fault of ours could hide behind it.
 */
import type { Answer } from './connection.ts'
import type { Sent } from './draft.ts'
import { fieldOf, valuesOf } from './wire.ts'

interface RuntimeAnswer {
  readonly status: number
  readonly body: string
  readonly reason: string
  isDue(sent: Sent): boolean
}

/** RFC 9110 section 5.6.2. */
const TOKEN = /^[!#$%&'*+\-.^`|~\w]+$/
const KNOWN_METHODS = [
  ...['GET', 'HEAD', 'POST', 'PUT', 'DELETE', 'PATCH', 'OPTIONS', 'TRACE', 'CONNECT', 'QUERY', 'SEARCH', 'PURGE'],
  ...['COPY', 'LOCK', 'UNLOCK', 'MOVE', 'MKCOL', 'PROPFIND', 'PROPPATCH', 'ACL', 'REPORT', 'CHECKOUT', 'MERGE'],
]
const TARGET_BYTES_MAX = 65_534

const HOST = String.raw`([^/?#@]*@)?([\w.-]+|\[[\w.:]*\])(:\d*)?`
const AUTHORITY = new RegExp(`^${HOST}$`)
const ADDRESS = new RegExp(`^[a-z][a-z\\d+.-]*://${HOST}([/?#]|$)`, 'i')

const RUNTIME_ANSWERS: readonly RuntimeAnswer[] = [
  {
    status: 400,
    body: 'invalid URI',
    reason: 'the target has a character that no URI has, or is neither a path nor an address',
    isDue: ({ target }) => !isTarget(target),
  },
  {
    status: 414,
    body: 'URI too long',
    reason: 'the target has more than 65,534 bytes',
    isDue: ({ target }) => target.length > TARGET_BYTES_MAX,
  },
  {
    status: 400,
    body: 'invalid HTTP version parsed',
    reason: 'the version is neither HTTP/1.0 nor HTTP/1.1, or a space makes it another word',
    isDue: ({ draft, target }) => !/^HTTP\/1\.[01]$/.test(draft.version) || /\s/.test(target + draft.method),
  },
  {
    status: 400,
    body: 'invalid HTTP method parsed',
    reason: 'the method is no token',
    isDue: ({ draft }) => !TOKEN.test(draft.method),
  },
  {
    status: 501,
    body: 'ERROR: Unrecognized request method.',
    reason: 'workerd knows a list of methods, in capitals',
    isDue: ({ draft }) => !KNOWN_METHODS.includes(draft.method),
  },
  {
    status: 400,
    body: 'Bad Request',
    reason: 'the host is missing or empty',
    isDue: ({ headers }) => valuesOf(headers, 'host').every(host => host === ''),
  },
  {
    status: 400,
    body: 'invalid HTTP header parsed',
    reason: 'a line of the head is no header',
    isDue: ({ draft }) => /^HTTP\/1\.[01]./.test(draft.version) || draft.lines.some(line => !isHeader(line)),
  },
  {
    status: 400,
    body: 'invalid content-length parsed',
    reason: 'the length is no number, or too large, or there are two of them',
    isDue: ({ headers }) => {
      const lengths = valuesOf(headers, 'content-length')
      return new Set(lengths).size > 1 || lengths.some(length => !/^\d{1,18}$/.test(length))
    },
  },
  {
    status: 400,
    body: 'invalid transfer-encoding parsed',
    reason: 'the last transfer coding is not `chunked`',
    isDue: ({ headers }) => !/(^|,)[ \t]*chunked[ \t]*$/i.test(fieldOf(headers, 'transfer-encoding') ?? 'chunked'),
  },
  {
    status: 400,
    body: 'unexpected transfer-encoding parsed',
    reason: 'HTTP/1.0 has no transfer codings',
    isDue: ({ draft, headers }) => draft.version === 'HTTP/1.0' && fieldOf(headers, 'transfer-encoding') !== null,
  },
  {
    status: 500,
    body: 'Internal Server Error',
    reason: 'the method is CONNECT, for which a Worker has no handler',
    isDue: ({ draft }) => draft.method === 'CONNECT',
  },
  {
    status: 431,
    body: 'message head is too large',
    reason: 'the head is too large, or has too many lines',
    isDue: ({ draft, text }) => draft.lines.length > 100 || text.length > 60_000,
  },
]

/**
 * A path, an address or a host alone, in visible ASCII without `<` and `>`. A path contains no backtick, and a query no
 * double quote.
 */
function isTarget(target: string): boolean {
  const [path = '', query = ''] = target.split(/\?(.*)/s)
  const isVisible = /^[!-;=?-~]+$/.test(target) && !path.includes('`') && !query.includes('"')
  return isVisible && (/^(\/|\*$)/.test(target) || AUTHORITY.test(target) || ADDRESS.test(target))
}

function isHeader(line: string): boolean {
  return TOKEN.test(line.split(':')[0] ?? '') && line.includes(':') && !/[\0\r\n]/.test(line)
}

/** Returns the runtime's answer that this looks like, or null. An answer to HEAD is recognised by its length. */
export function runtimeAnswer(answer: Answer & { kind: 'answer' }, sent: Sent): RuntimeAnswer | null {
  const isBare = fieldOf(answer.headers, 'cache-control') === null && fieldOf(answer.headers, 'retry-after') === null
  if (!isBare) return null
  const isHead = answer.body === '' && sent.draft.method === 'HEAD'
  const length = Number(fieldOf(answer.headers, 'content-length'))
  const alike = RUNTIME_ANSWERS.filter(
    ({ status, body }) => status === answer.status && (isHead ? body.length === length : body === answer.body),
  )
  return alike.find(one => one.isDue(sent)) ?? alike[0] ?? null
}
