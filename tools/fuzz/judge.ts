/** Judges one exchange from outside: by what was sent, what the origin got, and what the client got. */
import { faultsOfAnswer, makerOf } from './answered.ts'
import type { Sent, Tokens } from './draft.ts'
import type { Exchange } from './exchange.ts'
import { faultsOfArrival } from './forwarded.ts'
import { isBypassed, pathOf, regionsOf } from './promises.ts'
import { SITE_HOST } from './regions.ts'
import { fieldOf, valuesOf } from './wire.ts'

/** A site as the judge needs to know it. */
export interface Judged {
  readonly tokens: Tokens
  /** Whether the origin is told the visitor's host as `Host`. */
  readonly sendsHost: boolean
}

export function faultsOf({ sent, answer, arrivals }: Exchange, { tokens, sendsHost }: Judged): readonly string[] {
  const faults = arrivals.flatMap(arrival => faultsOfArrival(sent, arrival, tokens, sendsHost))
  if (arrivals.length > 1) faults.push('one request reached the origin more than once')
  if (mustPass(sent) && makerOf({ sent, answer }) !== 'origin')
    faults.push('a request that the room does not concern was held back')
  return [...new Set([...faults, ...faultsOfAnswer(sent, answer, arrivals)])]
}

/** A path that is too long to be read falls under every room. */
const TARGET_PLAIN_MAX = 1_000

/**
 * Whether a request with nothing odd about it is for a room that lets it pass, or for no room. What is odd may be
 * refused, so this is cautious.
 */
function mustPass(sent: Sent): boolean {
  const { draft, target, headers, content } = sent
  const path = pathOf(target)
  const isPlain =
    content !== null &&
    draft.version === 'HTTP/1.1' &&
    /^(GET|HEAD|POST|PUT|DELETE|PATCH)$/.test(draft.method) &&
    /^(\/[\w-]+)+\?fz=\d{7}$/.test(target) &&
    valuesOf(headers, 'host').join() === SITE_HOST &&
    ['upgrade', 'expect', 'transfer-encoding'].every(name => fieldOf(headers, name) === null) &&
    // Of two lines nobody knows where a cookie ends.
    valuesOf(headers, 'cookie').length < 2 &&
    target.length < TARGET_PLAIN_MAX &&
    draft.lines.every(line => line.length < 10_000 && /^[\w-]+: ?[\x20-\x7e]*$/.test(line))
  if (!isPlain || path.startsWith('/.')) return false
  const asArrived = { id: null, method: draft.method, target, headers, text: '', body: null }
  return regionsOf(SITE_HOST, path).every(
    ({ gate, bypass }) => gate === 'passes' || bypass.some(rule => isBypassed(rule, sent, asArrived)),
  )
}
