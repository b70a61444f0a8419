/**
 * Parts of a page that wait for their turn. A script that is refused leaves its page white, and nothing on the page says why. So a part of a
 * page is not refused for a short time: it waits, and the page becomes slow instead. Pages, programs and requests that change something do
 * not wait: their answers can say what has happened.
 */
import { WAITS_MAX_MS } from '../limits/turns.ts'
import { isPrefetch, type Visit } from '../request/visit.ts'
import type { Limited, Verdict } from './verdict.ts'

/** Several tokens gather in this time, so that not each of them has to be asked for. */
const SLEEP_MIN_MS = 250

/** Waits, and has the request decided again, until it is let on or has waited long enough. */
export async function afterTurn(visit: Visit, limited: Limited, decide: () => Promise<Verdict>): Promise<Verdict> {
  const { by } = limited
  if (!by || by.sid === null || by.refusal.policy?.perNetwork || !isPartOfPage(visit)) return limited
  const { turns } = by.room.memory
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

/** By Fetch Metadata, which browsers send: a script, a style, an image, and not what a script has asked for. */
function isPartOfPage(visit: Visit): boolean {
  const { headers } = visit.request
  const destination = headers.get('Sec-Fetch-Dest')
  const isPart = visit.kind === 'subresource' && destination !== null && destination !== 'empty'
  return isPart && visit.isSafe && !isPrefetch(headers)
}

function sleepMs({ retryAfterMs, by }: Limited): number {
  // The next may go on as soon as another has its answer.
  return by?.refusal.name === 'concurrent' ? SLEEP_MIN_MS : Math.max(SLEEP_MIN_MS, retryAfterMs)
}

function sleep(ms: number): Promise<void> {
  return new Promise(resolve => setTimeout(resolve, ms))
}
