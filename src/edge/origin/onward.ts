/** How a request goes on to the origin. Where several rooms overlap, the strictest one decides. */
import type { Upstream } from '../../settings/compiled/health.ts'
import type { RoomConfig } from '../../settings/schema.ts'
import type { Admitted, Verdict } from '../gate/verdict.ts'

/** Requests of no room are proxied with the default timeout of rooms. */
const TIMEOUT_MS = 10_000

/** One room that lets the request go on. */
export interface Passage {
  readonly verdict: Verdict
  readonly config: RoomConfig
  readonly upstream: Upstream
}

export interface Onward {
  readonly admissions: readonly Admitted[]
  /** Headers of `allowed_override_headers` that every room allows. */
  readonly overrides: readonly string[]
  /** Every room has admitted the visitor, and lets the origin read the pass from the cookie. */
  readonly keepsCookie: boolean
  /** A CORS preflight goes on without a body and without credentials. */
  readonly isPreflight: boolean
  readonly timeoutMs: number
  /** The longest silence within the answer's body, null for no limit. */
  readonly bodyTimeoutMs: number | null
}

/** Combines the rooms of a request. Every room must allow an override. The shortest timeout counts. */
export function strictest(passages: readonly Passage[]): Onward {
  const [first, ...others] = passages.map(overridesOf)
  const bodyTimeoutsMs = passages.flatMap(({ upstream }) => upstream.bodyTimeoutMs ?? [])
  return {
    admissions: passages.flatMap(({ verdict }) => (verdict.kind === 'admitted' ? [verdict] : [])),
    overrides: (first ?? []).filter(name => others.every(allowed => allowed.includes(name))),
    keepsCookie:
      passages.length > 0 &&
      passages.every(({ verdict, config }) => verdict.kind === 'admitted' && config.origin_pass === 'cookie'),
    isPreflight: passages.some(({ verdict }) => verdict.kind === 'proxy' && verdict.why === 'preflight'),
    timeoutMs: passages.length === 0 ? TIMEOUT_MS : Math.min(...passages.map(({ upstream }) => upstream.timeoutMs)),
    bodyTimeoutMs: bodyTimeoutsMs.length === 0 ? null : Math.min(...bodyTimeoutsMs),
  }
}

/**
 * Returns the headers that a request may override in one room. A bypass rule or a preflight lets a request through
 * because of its method or path, so no header may change these.
 */
function overridesOf({ verdict, config }: Passage): readonly string[] {
  const isLetByAsItIs = verdict.kind === 'proxy' && (verdict.why === 'bypass' || verdict.why === 'preflight')
  return isLetByAsItIs ? [] : config.allowed_override_headers
}
