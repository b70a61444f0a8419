/**
 * Detects that the line has become slower than visitors were shown. A shown wait normally rises only slowly. While a
 * slowdown is reported the wait may jump, and the visitor is given the reason.
 */

/**
 * Why the line slowed down. `rate`: the operator or the origin's health lowered the limits. `full`: every place is
 * taken, so newcomers wait for other visitors to leave.
 */
export type Slowed = 'rate' | 'full'

export interface Pace {
  /** The limits on which the last shown waits are based. Null until the first limits are known. */
  ratePerMinute: number | null
  totalActiveUsers: number
  /** When the room was last full. */
  fullAtMs: number
  slowed: { readonly why: Slowed; readonly atMs: number } | null
}

/**
 * A limit that falls below this share of its former value is reported. Health changes its limits a little in every
 * window, and visitors need not learn of that.
 */
const NEWS_BELOW = 0.9
/** A room that was full this recently is not newly full: it has been full all the time. */
const FULL_AGAIN_MS = 60_000
/**
 * A slowdown is reported for this long. The speed shown follows with a half-life of one minute, so it needs that time.
 */
const SLOWED_FOR_MS = 3 * 60_000

export function newPace(): Pace {
  return { ratePerMinute: null, totalActiveUsers: 0, fullAtMs: Number.NEGATIVE_INFINITY, slowed: null }
}

/**
 * Compares the limits in force, and whether every place is taken, with those before. Returns true if the limits changed
 * so much that the line's past no longer predicts its future.
 */
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

/** Returns why waits may have grown in the last minutes, or null. */
export function slowedAt({ slowed }: Pace, nowMs: number): Slowed | null {
  return slowed && nowMs - slowed.atMs < SLOWED_FOR_MS ? slowed.why : null
}
