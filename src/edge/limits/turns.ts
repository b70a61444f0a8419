/**
 * Parts of a page that wait for their turn. A script that is refused leaves its page white, and nothing on it says why. So what is a part
 * of a page is not refused for a short time: it waits, and the page becomes slow instead. Pages, programs and whatever changes something
 * do not wait: they can say what has happened.
 */
import type { Limited, Verdict } from '../gate/verdict.ts'
import { isPrefetch, type Visit } from '../request/visit.ts'

/** Longer than this nobody looks at a page that does not come. */
const WAITS_MAX_MS = 10_000
/** Each holds a connection: as many as a browser opens for one page, and what an isolate has memory for. */
const OF_SESSION_MAX = 100
const OF_ISOLATE_MAX = 1_000
/** Tokens for several gather meanwhile, so that not each of them has to be asked for. */
const SLEEP_MIN_MS = 250

interface Turn {
  readonly sid: string
  readonly untilMs: number
}

/** Who waits at this isolate, the longest first. */
export class Turns {
  readonly #waiting = new Set<Turn>()

  /** Returns null when too many wait. */
  begin(sid: string, nowMs: number): Turn | null {
    // A request that was cut off never ends its turn.
    for (const turn of this.#waiting) {
      if (turn.untilMs > nowMs) break
      this.#waiting.delete(turn)
    }
    if (this.#waiting.size >= OF_ISOLATE_MAX) return null
    let ofSession = 0
    for (const turn of this.#waiting) if (turn.sid === sid) ofSession++
    if (ofSession >= OF_SESSION_MAX) return null
    const turn = { sid, untilMs: nowMs + 2 * WAITS_MAX_MS }
    this.#waiting.add(turn)
    return turn
  }

  end(turn: Turn): void {
    this.#waiting.delete(turn)
  }
}

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
