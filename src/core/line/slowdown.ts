/**
 * Whether the line has just become slower than visitors were told. A shown wait rises slowly by itself; only what this module
 * notices lets it jump, and then the visitor is told why.
 */

/** Fewer are let in by the operator or the origin's health; or every place has been taken, and newcomers wait for leavers. */
export type Slowed = 'rate' | 'full'

export interface Pace {
  /** What was promised last; null until the first limits are known. */
  ratePerMinute: number | null
  totalActiveUsers: number
  /** When the room was last full. */
  fullAtMs: number
  slowed: { readonly why: Slowed; readonly atMs: number } | null
}

/** Less than this share of what was promised is news. Health moves its limits a little at every window. */
const NEWS_BELOW = 0.9
/** A room that was full a moment ago is not full again: it has been so all the time. */
const FULL_AGAIN_MS = 60_000
/** The speed shown follows with a half-life of a minute: for this long it is on its way. */
const SLOWED_FOR_MS = 3 * 60_000

export function newPace(): Pace {
  return { ratePerMinute: null, totalActiveUsers: 0, fullAtMs: Number.NEGATIVE_INFINITY, slowed: null }
}

/** Takes note of the limits in force and whether every place is taken under them; true when the line's past says little of its future now. */
export function followPace(
  pace: Pace,
  limits: { readonly ratePerMinute: number; readonly totalActiveUsers: number },
  isFull: boolean,
  nowMs: number,
): boolean {
  const { ratePerMinute, totalActiveUsers } = limits
  const isKnown = pace.ratePerMinute !== null
  const rateFell = ratePerMinute < NEWS_BELOW * (pace.ratePerMinute ?? 0)
  const rateRose = isKnown && ratePerMinute * NEWS_BELOW > (pace.ratePerMinute ?? 0)
  const totalFell = totalActiveUsers < NEWS_BELOW * pace.totalActiveUsers
  if (rateFell || (totalFell && isFull)) pace.slowed = { why: 'rate', atMs: nowMs }
  else if (isKnown && isFull && nowMs - pace.fullAtMs > FULL_AGAIN_MS) pace.slowed = { why: 'full', atMs: nowMs }
  if (rateFell || ratePerMinute > (pace.ratePerMinute ?? 0)) pace.ratePerMinute = ratePerMinute
  if (totalFell || totalActiveUsers > pace.totalActiveUsers) pace.totalActiveUsers = totalActiveUsers
  if (isFull) pace.fullAtMs = nowMs
  return rateFell || rateRose || totalFell
}

/** Why waits may have grown lately, null when nothing happened. */
export function slowedAt({ slowed }: Pace, nowMs: number): Slowed | null {
  return slowed && nowMs - slowed.atMs < SLOWED_FOR_MS ? slowed.why : null
}
