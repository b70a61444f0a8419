/** Whether an answer to the client keeps the contract of docs/http.md (I12). */
import type { Answer } from './connection.ts'
import type { Sent } from './draft.ts'
import type { Exchange } from './exchange.ts'
import { type Arrival, FROM_ORIGIN } from './origin.ts'
import { pathOf } from './promises.ts'
import { CONTROL_PREFIX } from './regions.ts'
import { runtimeAnswer } from './runtime-answers.ts'
import { fieldOf, valuesOf } from './wire.ts'

/** The part that made an answer. */
type Maker = 'origin' | 'edge' | 'runtime' | 'nobody'

type Whole = Answer & { kind: 'answer' }

const STATUSES = [200, 202, 204, 303, 307, 308, 400, 401, 403, 404, 405, 413, 421, 429, 502, 503, 504]
const CONTENT_TYPES = /^(text\/html; charset=utf-8|application\/json|application\/problem\+json)$/
/** Text of an internal error, which clients must not see. */
const INSIDES = /\n\s+at \S|\b(Type|Reference|Range|Syntax)Error\b|\bindex\.js:\d|\.ts:\d+:\d|node_modules/
/** The answer to an unexpected error. */
const UNEXPECTED = /"title":"(Try again shortly|Not configured)"/

export function makerOf({ sent, answer }: Pick<Exchange, 'sent' | 'answer'>): Maker {
  if (answer.kind !== 'answer') return 'nobody'
  if (fieldOf(answer.headers, FROM_ORIGIN) !== null) return 'origin'
  return runtimeAnswer(answer, sent) ? 'runtime' : 'edge'
}

export function faultsOfAnswer(sent: Sent, answer: Answer, arrivals: readonly Arrival[]): readonly string[] {
  if (answer.kind !== 'answer') return nothingFaults(sent, answer)
  const faults = cookieFaults(sent, answer)
  if (answer.surplus !== '' && sent.content !== null) faults.push('bytes came after the answer')
  switch (makerOf({ sent, answer })) {
    case 'origin':
      return [...faults, ...originFaults(sent, answer, arrivals)]
    case 'runtime':
      if (!runtimeAnswer(answer, sent)?.isDue(sent)) faults.push('the runtime refused what it can read')
      return faults
    case 'edge':
      if (arrivals.some(({ body }) => body !== null)) faults.push('the origin was asked, and its answer is lost')
      return [...faults, ...edgeFaults(sent, answer)]
    default:
      return faults
  }
}

/** Our cookie must not be stored in shared caches. No page of another site may replace it with an unsafe request. */
function cookieFaults({ draft: { method }, headers: asked }: Sent, { headers }: Whole): string[] {
  if (!valuesOf(headers, 'set-cookie').some(value => value.includes('antesala-'))) return []
  const faults: string[] = []
  if (!/\bno-store\b/.test(fieldOf(headers, 'cache-control') ?? ''))
    faults.push('a cookie of ours came without no-store')
  // If the browser has sent our cookie with the request, the answer may renew the cookie.
  const cameAlong = /antesala-/.test(fieldOf(asked, 'cookie') ?? '')
  const isOfAnotherSite = !cameAlong && valuesOf(asked, 'sec-fetch-site').join() === 'cross-site'
  if (isOfAnotherSite && !/^(GET|HEAD)$/.test(method)) faults.push('a page of another site replaced a cookie of ours')
  return faults
}

/** Only a request that cannot be read to its end may stay without an answer. */
function nothingFaults(sent: Sent, answer: Exclude<Answer, Whole>): string[] {
  if (sent.content === null) return []
  return [answer.kind === 'silent' ? 'no answer came' : 'the connection was closed without an answer']
}

function originFaults({ id }: Sent, answer: Whole, arrivals: readonly Arrival[]): string[] {
  const faults: string[] = []
  if (fieldOf(answer.headers, FROM_ORIGIN) !== id) faults.push('the answer belongs to another request')
  if (arrivals.length === 0) faults.push('the origin answered a request that it did not get')
  return faults
}

function edgeFaults(sent: Sent, answer: Whole): string[] {
  const { status, headers, body } = answer
  const faults: string[] = []
  const type = fieldOf(headers, 'content-type')
  if (!STATUSES.includes(status)) return [`an answer with status ${status}, which is not in the contract`]
  if (UNEXPECTED.test(body)) faults.push('the edge failed by an error of its own')
  if (INSIDES.test(body)) faults.push('the answer reveals an internal error')
  if (body.includes('<fuzz')) faults.push('the page has markup of the visitor in it')
  if (isControl(sent.target) && status < 400) return faults
  if (status >= 500 || status === 429) {
    if (!/^[1-9]\d*$/.test(fieldOf(headers, 'retry-after') ?? '')) faults.push(`${status} came without Retry-After`)
  }
  if (!/\bno-store\b/.test(fieldOf(headers, 'cache-control') ?? '')) faults.push(`${status} came without no-store`)
  if (body !== '' && !CONTENT_TYPES.test(type ?? '')) faults.push(`${status} came as ${type ?? 'no type'}`)
  if (status >= 300 && status < 400) faults.push(...redirectFaults(sent, headers))
  if (status < 300 && !mayBeCalledDone(sent)) faults.push('a request that was not carried out was answered as done')
  return faults
}

function isControl(target: string): boolean {
  return URL.parse(`http://h${pathOf(target)}`)?.pathname.startsWith(`${CONTROL_PREFIX}/`) ?? false
}

/** A redirect of ours must lead to a path of the same host. */
function redirectFaults({ headers: asked }: Sent, headers: Whole['headers']): string[] {
  const base = URL.parse(`http://${fieldOf(asked, 'host') ?? ''}`)
  const to = base && URL.parse(fieldOf(headers, 'location') ?? '', base)
  return to?.host === base?.host ? [] : ['a redirect leads to another host']
}

/**
 * Some rooms answer waiting visitors with 200 or 202. They may do so for safe methods, and for a form that a browser
 * has sent. A preflight asks only for its answer, so 200 is correct for it.
 */
function mayBeCalledDone({ draft: { method }, headers }: Sent): boolean {
  if (method === 'GET' || method === 'HEAD') return true
  if (method === 'OPTIONS') return fieldOf(headers, 'access-control-request-method') !== null
  // Only a browser sends this header: scripts in a page cannot set it, and other programs do not.
  return method === 'POST' && fieldOf(headers, 'sec-fetch-mode') === 'navigate'
}
