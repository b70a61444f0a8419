/**
 * Client-side throttling (Site Reliability Engineering, chapter 21): refuses here the requests that an origin in
 * trouble would refuse anyway.
 */

/** Old counts fade with this half-life, so that shedding ends soon after the trouble. */
const HALF_LIFE_MS = 30_000

export interface Shedder {
  asked: number
  ok: number
  atMs: number
}

export function newShedder(): Shedder {
  return { asked: 0, ok: 0, atMs: 0 }
}

/**
 * Returns the share of requests to refuse: `max(0, (asked - k*ok) / (asked + 1))`. With a larger k, more failures are
 * needed before any request is refused.
 */
export function shedShare({ asked, ok }: Shedder, k: number): number {
  return Math.max(0, (asked - k * ok) / (asked + 1))
}

/** Counts a request, whether it was sent or refused. */
export function noteAsked(shedder: Shedder, nowMs: number): void {
  fade(shedder, nowMs)
  shedder.asked++
}

/** Counts a good answer. */
export function noteOk(shedder: Shedder, nowMs: number): void {
  fade(shedder, nowMs)
  shedder.ok++
}

function fade(shedder: Shedder, nowMs: number): void {
  const tookMs = nowMs - shedder.atMs
  if (tookMs <= 0) return
  const left = 0.5 ** (tookMs / HALF_LIFE_MS)
  shedder.asked *= left
  shedder.ok *= left
  shedder.atMs = nowMs
}
