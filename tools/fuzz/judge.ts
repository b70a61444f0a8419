/** Judges one exchange from outside: by what was sent, what the origin received, and what the client received. */
import { faultsOfAnswer, makerOf } from './answered.ts'
import type { Sent, Tokens } from './draft.ts'
import type { Exchange } from './exchange.ts'
import { faultsOfArrival } from './forwarded.ts'
import { isBypassed, pathOf, regionsOf } from './promises.ts'
import { SITE_HOST } from './regions.ts'
import { fieldOf, valuesOf } from './wire.ts'

/** The part of a site that the judge needs. */
export interface Judged {
  readonly tokens: Tokens
  /** Whether the origin receives the visitor's host as `Host`. */
  readonly sendsHost: boolean
}

export function faultsOf({ sent, answer, arrivals }: Exchange, { tokens, sendsHost }: Judged): readonly string[] {
  const faults = arrivals.flatMap(arrival => faultsOfArrival(sent, arrival, tokens, sendsHost))
  if (arrivals.length > 1) faults.push('one request reached the origin more than once')
  if (mustPass(sent) && makerOf({ sent, answer }) !== 'origin')
    faults.push('a request that is outside of the room was held back')
  return [...new Set([...faults, ...faultsOfAnswer(sent, answer, arrivals)])]
}

/** A path that is too long to be read counts as a path of every room. */
const TARGET_PLAIN_MAX = 1_000

/**
 * Whether a plain request is for a room that lets it pass, or for no room. A request with anything unusual may be
 * refused, so this returns true only in clear cases.
 */
function mustPass(sent: Sent): boolean {
  const { draft, target, headers, content } = sent
  const path = pathOf(target)
  const isPlain =
    content !== null &&
    draft.version === 'HTTP/1.1' &&
    /^(GET|HEAD|POST|PUT|DELETE|PATCH)$/.test(draft.method) &&
    /^(\/[\w-]+)+\?fz=\d{7}(&call=\w+)?$/.test(target) &&
    valuesOf(headers, 'host').join() === SITE_HOST &&
    ['upgrade', 'expect', 'transfer-encoding'].every(name => fieldOf(headers, name) === null) &&
    // With two cookie lines the end of a cookie is not clear.
    valuesOf(headers, 'cookie').length < 2 &&
    target.length < TARGET_PLAIN_MAX &&
    draft.lines.every(line => line.length < 10_000 && /^[\w-]+: ?[\x20-\x7e]*$/.test(line))
  if (!isPlain || path.startsWith('/.')) return false
  const asArrived = { id: null, method: draft.method, target, headers, text: '', body: null }
  return regionsOf(SITE_HOST, path).every(
    ({ gate, bypass }) => gate === 'passes' || bypass.some(rule => isBypassed(rule, sent, asArrived)),
  )
}
