/** The answers of rate limits, and the fields that report how much is left. */

import type { RoomConfig } from '../../settings/schema.ts'
import { FALLBACK } from '../../settings/texts/languages.ts'
import type { Admitted, Limited } from '../gate/verdict.ts'
import type { Refusal } from '../limits/refusal.ts'
import { isLow, statesOf } from '../limits/state.ts'
import { limitedPage } from '../pages/limited.ts'
import { problemResponse } from '../problem.ts'
import { acceptsJson } from '../request/kind.ts'
import type { Visit } from '../request/visit.ts'
import { languageOf } from '../texts/catalog.ts'
import { languageFor } from '../texts/choose.ts'
import { type Language, languageHeaders } from '../texts/language.ts'
import { filled } from '../texts/words.ts'
import { statusOf } from './mark.ts'
import { outsideHeaders } from './outside.ts'
import { setRateLimitFields } from './rate-limit-fields.ts'

/**
 * The longest Retry-After, 24 hours. It also stands for a cost above the burst, which is always refused. The detail
 * explains that.
 */
const FOR_GOOD_MS = 24 * 60 * 60 * 1_000
/** With `auto`, any answer of the origin gets the fields when less than this share is left. */
const LOW_SHARE = 0.2

export async function limitedResponse(visit: Visit, limited: Limited): Promise<Response> {
  const { by, retryAfterMs } = limited
  const answer =
    visit.kind === 'navigation' && by !== null
      ? await page(visit, by.room.settings.config, by.refusal)
      : problem(visit, limited)
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

/**
 * True if an answer of the origin gets the fields. Not all answers do, because copying an answer costs a tenth of the
 * request.
 */
export function needsLimitFields(
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

export function setLimitFields(visit: Visit, headers: Headers, admissions: readonly Admitted[]): void {
  for (const { room, sid } of admissions) {
    const { on, version } = room.settings.config.rate_limit_headers
    if (on !== 'limited')
      setRateLimitFields(headers, version, statesOf(room.limits, visit, room.sessions.of(sid).limits))
  }
}

/**
 * Charges the cost that the origin's answer reports. If the session then owes tokens, this isolate reports them to the
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

/** A limit without a room uses English, because only a room has languages to choose from. */
function problem(visit: Visit, { by, retryAfterMs }: Limited): Response {
  const language = by ? languageFor(visit, by.room.settings.config) : languageOf(FALLBACK)
  return problemResponse({
    status: 429,
    type: 'quota-exceeded',
    title: language.texts.problems.limited.title,
    detail: detailOf(by?.refusal ?? null, retryAfterMs, language),
    retryAfterMs: Math.min(retryAfterMs, FOR_GOOD_MS),
    headers: languageHeaders(language),
    ...(by ? { more: { ...statusOf(visit, by.room, 'limited'), 'violated-policies': [by.refusal.name] } } : {}),
  })
}

function detailOf(refusal: Refusal | null, retryAfterMs: number, language: Language): string {
  const { limited } = language.texts.problems
  if (!refusal) return limited.outside
  const { policy, name } = refusal
  if (!Number.isFinite(retryAfterMs)) return filled(limited.never, { policy: name })
  if (!policy) return limited.concurrent
  return filled(policy.perNetwork ? limited.network : limited.session, {
    policy: name,
    count: language.number(policy.count),
    seconds: language.number(policy.periodSeconds),
  })
}
