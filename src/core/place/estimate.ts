/**
 * The figures a waiting visitor is shown: a position that never rises, a wait as a range, and when to ask again.
 *
 * The wait is the people ahead divided by the measured speed of the frontier. The speed counts tickets, so it already
 * includes no-shows.
 */

const POLL_MIN_MS = 2_000
/** The longest time between two polls. */
const POLL_MAX_MS = 300_000
/** The longest time between two polls in a line that stands still, because its next speed is not known. */
const STANDING_POLL_MS = 60_000
/** In a line that stands still visitors ask before their turn, if the line then moves at this speed or its rate. */
const STANDING_PER_SECOND = 10
/** A visitor polls again after a share of the expected wait, drawn evenly between these. */
const POLL_SHARE = { least: 1 / 4, most: 1 / 3 }
/**
 * A visitor polls again within this share of the time in which an unseen call lapses. A visitor called just after a
 * poll then comes before the turn is over, even if a tab in the background is a minute late.
 */
const POLL_LAPSE_SHARE = 0.8
/** The front of the line polls this often even while nothing moves, so that a room which admits again fills at once. */
const FRONT_POLL_MAX_MS = 4_000
const FRONT_PEOPLE_MIN = 100
const FRONT_MS = 10_000
/** This many people at the front poll every 2 s, even in a line that stands still. So a call reaches them soon. */
const NEXT_PEOPLE = 10
/**
 * In a held line the time between two polls grows to this, over the first minutes of the hold. So nine in ten people at
 * the front ask within 10 s after a release.
 */
const HELD_POLL_MS = 10_000
const HELD_GROWS_OVER_MS = 10 * 60_000
/** Polls vary by this share, so that a crowd that came at once does not stay in step. */
const JITTER = 0.2
/** Half of all waits end between these multiples of the expected one. */
const QUARTILES = { low: 0.85, high: 1.2 }
/**
 * The range shown for a wait: from `low` times the estimate less `lessMs` to `high` times the estimate plus `moreMs`.
 * It is as narrow as the measured error of the estimate allows: 95 in 100 simulated waits end inside it.
 */
const RANGES = {
  steady: { low: 0.85, lessMs: 3_000, high: 1.12, moreMs: 8_000 },
  runs: { low: 0.4, lessMs: 8_000, high: 1.7, moreMs: 120_000 },
}

/**
 * How a line moves. `steady`: at the rate of the permits. `runs`: as sessions end in a full room. Then the line stands
 * still for minutes, and moves fast in between.
 */
export type Motion = keyof typeof RANGES

/** An expected wait with its range. */
export interface Wait {
  readonly likelyMs: number
  readonly lowMs: number
  readonly highMs: number
}

/** Returns the expected wait in milliseconds behind `ahead` people, or null while the line stands still. */
export function likelyMsOf(ahead: number, speedPerSecond: number): number | null {
  return speedPerSecond <= 0 ? null : (ahead / speedPerSecond) * 1_000
}

export function waitRange(likelyMs: number, motion: Motion): Wait {
  const { low, lessMs, high, moreMs } = RANGES[motion]
  return { likelyMs, lowMs: Math.max(0, likelyMs * low - lessMs), highMs: likelyMs * high + moreMs }
}

/** Returns the times between which half of the waits end. */
export function quartilesOf(likelyMs: number): { readonly lowMs: number; readonly highMs: number } {
  return { lowMs: likelyMs * QUARTILES.low, highMs: likelyMs * QUARTILES.high }
}

/**
 * Returns the milliseconds until the next poll. Behind the front it is a quarter to a third of the expected wait, at
 * most 5 min. In a line that stands still it is at most a minute. At the front it is at most 4 s, and 2 s for the next
 * few people, give or take 20 %. `random` is uniform in [0, 1).
 */
export function pollAfterMs(ahead: number, speedPerSecond: number, ratePerSecond: number, random: number): number {
  const likelyMs = likelyMsOf(ahead, speedPerSecond)
  const front = Math.max(FRONT_PEOPLE_MIN, (ratePerSecond * FRONT_MS) / 1_000)
  if (ahead > front) {
    if (likelyMs === null) {
      const turnInMs = (ahead / Math.max(STANDING_PER_SECOND, ratePerSecond)) * 1_000
      return jittered(Math.min(STANDING_POLL_MS, turnInMs), random)
    }
    const share = POLL_SHARE.least + (POLL_SHARE.most - POLL_SHARE.least) * random
    return Math.max(POLL_MIN_MS, Math.min(likelyMs * share, upTo(POLL_MAX_MS, random)))
  }
  const soon = likelyMs === null ? FRONT_POLL_MAX_MS : Math.max(POLL_MIN_MS, likelyMs * POLL_SHARE.least)
  return jittered(Math.min(soon, ahead < NEXT_PEOPLE ? POLL_MIN_MS : FRONT_POLL_MAX_MS), random)
}

/**
 * Returns the time between polls, bounded so that a call made just after a poll is seen within the claim window, and
 * well before it lapses.
 */
export function beforeLapse(pollMs: number, claimWindowMs: number, missedGraceMs: number, random: number): number {
  const lapseMs = (claimWindowMs + missedGraceMs) * POLL_LAPSE_SHARE
  return Math.min(pollMs, upTo(Math.min(claimWindowMs, lapseMs), random))
}

/** Returns the shortest time in milliseconds until the next poll, in a line that has been held for `heldForMs`. */
export function heldPollMs(heldForMs: number, random: number): number {
  const base = HELD_POLL_MS * Math.min(1, Math.max(0, heldForMs / HELD_GROWS_OVER_MS))
  return jittered(base, random)
}

/** A limit that many reach at once must vary, too. */
function upTo(mostMs: number, random: number): number {
  return mostMs * (1 - JITTER + JITTER * random)
}

function jittered(ms: number, random: number): number {
  return ms * (1 - JITTER + 2 * JITTER * random)
}
