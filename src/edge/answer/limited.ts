/** The answers of rate limits, and the fields that report how much is left. */

import type { RoomConfig } from '../../settings/schema.ts'
import type { Admitted, Limited } from '../gate/verdict.ts'
import type { Refusal } from '../limits/refusal.ts'
import { isLow, statesOf } from '../limits/state.ts'
import { limitedPage } from '../pages/limited.ts'
import { problemResponse } from '../problem.ts'
import { acceptsJson } from '../request/kind.ts'
import type { Visit } from '../request/visit.ts'
import { outsideHeaders } from './outside.ts'
import { setRateLimitFields } from './rate-limit-fields.ts'

/** The longest Retry-After, 24 hours. A cost above the burst is refused for good, and the detail explains it. */
const FOR_GOOD_MS = 24 * 60 * 60 * 1_000
/** With `auto`, any answer of the origin gets the fields when less than this share is left. */
const LOW_SHARE = 0.2

export async function limitedResponse(visit: Visit, limited: Limited): Promise<Response> {
  const { by, retryAfterMs } = limited
  const answer =
    visit.kind === 'navigation' && by !== null
      ? await page(visit, by.room.settings.config, by.refusal)
      : problemResponse({
          status: 429,
          type: 'quota-exceeded',
          title: 'Too many requests',
          detail: detailOf(by?.refusal ?? null, retryAfterMs),
          retryAfterMs: Math.min(retryAfterMs, FOR_GOOD_MS),
          ...(by ? { more: { 'violated-policies': [by.refusal.name] } } : {}),
        })
  if (!by) return answer
  by.room.limits.countRefusal(by.refusal)
  by.room.sync.report(visit)
  const states = by.sid === null ? [] : statesOf(by.room.limits, visit, by.room.sessions.of(by.sid).limits)
  const { policy } = by.refusal
  const named = states.filter(state => state.policy !== policy)
  const refused = policy ? [{ policy, remaining: 0, resetMs: retryAfterMs }] : []
  setRateLimitFields(answer.headers, by.room.settings.config.rate_limit_headers.version, [...refused, ...named])
  return answer
}

/** Whether an answer of the origin gets the fields. Not all answers do, because a copy costs a tenth of the request. */
export function tellsLimits(
  visit: Visit,
  response: Response,
  admissions: readonly Admitted[],
  isCopied: boolean,
): boolean {
  if (response.status >= 300 && response.status < 400) return false
  const asksForJson = visit.kind === 'api' && acceptsJson(visit.request.headers)
  return admissions.some(({ room, sid }) => {
    const { on } = room.settings.config.rate_limit_headers
    if (on === 'limited' || room.limits.policies.length === 0) return false
    if (on === 'always' || isCopied || asksForJson) return true
    return isLow(room.limits, room.sessions.peek(sid)?.limits, LOW_SHARE)
  })
}

export function tellLimits(visit: Visit, headers: Headers, admissions: readonly Admitted[]): void {
  for (const { room, sid } of admissions) {
    const { on, version } = room.settings.config.rate_limit_headers
    if (on !== 'limited')
      setRateLimitFields(headers, version, statesOf(room.limits, visit, room.sessions.of(sid).limits))
  }
}

/**
 * Charges the cost that the origin's answer reports. Where the session owes tokens, this isolate reports them to the
 * door in the background.
 */
export function chargeAfterwards(visit: Visit, admissions: readonly Admitted[], headers: Headers): void {
  for (const { room, sid } of admissions) {
    if (!room.limits.chargesAfterwards) continue
    const owes = room.limits.chargeAfterwards(visit, room.sessions.of(sid).limits, headers, Date.now())
    if (owes) room.sessions.reportDebtSoon(visit, sid)
  }
}

async function page(visit: Visit, room: RoomConfig, refusal: Refusal): Promise<Response> {
  const { html, headers } = await limitedPage(visit, room, refusal)
  const body = visit.request.method === 'HEAD' ? null : html
  return new Response(body, {
    status: 429,
    headers: { ...outsideHeaders(Math.min(refusal.retryAfterMs, FOR_GOOD_MS)), ...headers },
  })
}

function detailOf(refusal: Refusal | null, retryAfterMs: number): string {
  if (!refusal) return 'This network has sent too much without a session. Send it again later.'
  if (!Number.isFinite(retryAfterMs))
    return `This costs more than the policy ${refusal.name} ever allows at once: sending it again is of no use.`
  const { policy, name } = refusal
  if (!policy) return 'Too many requests of this session are under way at once.'
  const whom = policy.perNetwork ? 'network' : 'session'
  return `The policy ${name} allows ${policy.count} in ${policy.periodSeconds} s for one ${whom}.`
}
