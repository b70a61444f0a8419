/** The use of permits: how many of the permits that the limits allowed were used while people waited. */

/** The state at one second of a run. */
export interface Sample {
  /** Milliseconds since the start. */
  readonly atMs: number
  readonly arrived: number
  readonly waiting: number
  /** Waiting visitors whose place is settled. Only these can be called. */
  readonly callable: number
  /** Called visitors without a permit yet. */
  readonly standing: number
  readonly active: number
  readonly admitted: number
  readonly ratePerMinute: number
  readonly totalActiveUsers: number
}

export interface Use {
  /** Permits used over permits allowed; 1 when there was never a line. */
  readonly share: number
  /** For how long only the rate held back a line. The rate was above zero. */
  readonly rateBoundMs: number
}

/** A line counts if it is too long to be empty in ten seconds. */
const LINE_SECONDS = 10
const LINE_MIN = 5
/**
 * If at least this share of the places is in use, the places hold the line back. Then the use of places is measured,
 * and not the admissions.
 */
const FULL_SHARE = 0.9

export function useOf(samples: readonly Sample[]): Use {
  let allowed = 0
  let used = 0
  let rateBoundMs = 0
  for (let i = 1; i < samples.length; i++) {
    const before = samples[i - 1] as Sample
    const after = samples[i] as Sample
    if (!isLine(before) || !isLine(after) || before.ratePerMinute !== after.ratePerMinute) continue
    const tookMs = after.atMs - before.atMs
    const permits = (after.ratePerMinute * tookMs) / 60_000
    const isFull = after.active >= FULL_SHARE * after.totalActiveUsers
    allowed += permits
    used += isFull ? (permits * after.active) / after.totalActiveUsers : after.admitted - before.admitted
    if (!isFull && permits > 0) rateBoundMs += tookMs
  }
  return { share: allowed === 0 ? 1 : used / allowed, rateBoundMs }
}

function isLine({ callable, standing, ratePerMinute }: Sample): boolean {
  return callable + standing > Math.max(LINE_MIN, (ratePerMinute / 60) * LINE_SECONDS)
}
