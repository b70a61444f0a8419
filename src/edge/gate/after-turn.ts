/**
 * Parts of a page that wait for their turn. A refused script leaves its page blank, and nothing on the page explains
 * why. So a part of a page that was refused for a short time waits, and the page only becomes slow. Pages, programs and
 * requests that change something do not wait, because their answers can explain the refusal.
 */
import { WAITS_MAX_MS } from '../limits/turns.ts'
import { isPrefetch } from '../request/kind.ts'
import type { Visit } from '../request/visit.ts'
import type { Limited, Verdict } from './verdict.ts'

/** The shortest sleep. Meanwhile several tokens gather, so that a session does not ask for each of them. */
const SLEEP_MIN_MS = 250

/** Waits, and then decides the request again, until it may go on or has waited for as long as allowed. */
export async function afterTurn(visit: Visit, limited: Limited, decide: () => Promise<Verdict>): Promise<Verdict> {
  const { by } = limited
  if (!by || by.sid === null || by.refusal.policy?.perNetwork || !isPartOfPage(visit)) return limited
  const { turns } = by.room
  const turn = limited.retryAfterMs > WAITS_MAX_MS ? null : turns.begin(by.sid, visit.nowMs)
  if (!turn) return limited
  let leftMs = WAITS_MAX_MS
  let verdict: Verdict = limited
  try {
    while (verdict.kind === 'limited' && sleepMs(verdict) <= leftMs) {
      leftMs -= sleepMs(verdict)
      await sleep(sleepMs(verdict))
      visit.nowMs = Date.now()
      verdict = await decide()
    }
    return verdict
  } finally {
    turns.end(turn)
  }
}

/**
 * True if Fetch Metadata, which browsers send, names a part of a page: a script, a style or an image. A request made by
 * a script is not one.
 */
function isPartOfPage(visit: Visit): boolean {
  const { headers } = visit.request
  const destination = headers.get('Sec-Fetch-Dest')
  const isPart = visit.kind === 'subresource' && destination !== null && destination !== 'empty'
  return isPart && visit.isSafe && !isPrefetch(headers)
}

function sleepMs({ retryAfterMs, why }: Limited): number {
  // A slot becomes free when another request gets its answer, so its exact time is not known.
  return why === 'concurrent' ? SLEEP_MIN_MS : Math.max(SLEEP_MIN_MS, retryAfterMs)
}

function sleep(ms: number): Promise<void> {
  return new Promise(resolve => setTimeout(resolve, ms))
}
