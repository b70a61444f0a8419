/** How much of what the limits allowed was used while people waited. */

/** A run second by second. */
export interface Sample {
  /** Since the start. */
  readonly atMs: number
  readonly arrived: number
  readonly waiting: number
  /** Of them, whose place is settled: nobody else can be called. */
  readonly callable: number
  /** Called, and without a permit yet. */
  readonly standing: number
  readonly active: number
  readonly admitted: number
  readonly ratePerMinute: number
  readonly totalActiveUsers: number
}

export interface Use {
  /** Permits used over permits allowed, 1 when nobody ever waited. */
  readonly share: number
  /** How long there was a line that a rate above zero held back, and nothing else. */
  readonly rateBoundMs: number
}

/** A line is one that the next ten seconds cannot empty. */
const LINE_SECONDS = 10
const LINE_MIN = 5
/** With fewer free places than this share, the places hold the line back, and a place in use is what counts. */
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
