/** A rehearsal against the whole simulator, which plays every visitor, many edges and doors, and the same change. */
import { describe, expect, it } from 'vitest'
import { type HistoryStep, unpacked } from '../../src/core/history/history.ts'
import type { Typed } from '../../src/rehearsal/rehearse.ts'
import type { Change } from '../../tools/simulation/scenario.ts'
import type { World } from '../../tools/simulation/world.ts'
import { played } from '../support/simulated.ts'
import { drawn, emptyAfter, MINUTE, seenRoom } from './seen.ts'

/** The minute at which the operator asks. The crowd of the first ten minutes is in line by then. */
const ASKED_AT = 12
/** A line that is soon empty is empty at the foreseen time, or half a minute earlier or later. */
const EMPTY_WITHIN = 0.5
/** A wait ends at its foreseen time, within this share of the time from the question to that end, or twenty seconds. */
const END_SHARE = 0.05
const WAIT_MIN = 2
const SHORT_MINUTES = 1 / 3

interface Sale {
  /** The crowd of the first ten minutes, and of the hour after them, in visitors a minute. */
  readonly crowd: readonly [number, number]
  readonly ratePerMinute: number
  readonly totalActiveUsers: number
  readonly noShows: number
  readonly sessionMs: number
  readonly stayMs: number
}

const SALE: Sale = {
  ...{ crowd: [300, 45], ratePerMinute: 150, totalActiveUsers: 1_000_000, noShows: 0 },
  ...{ sessionMs: 5 * MINUTE, stayMs: 30_000 },
}
/** A hundred and fifty places for visitors who stay some three minutes. */
const FULL: Sale = { ...SALE, ...{ crowd: [180, 20], totalActiveUsers: 150, sessionMs: 2 * MINUTE, stayMs: MINUTE } }

describe('a rehearsal', () => {
  it.each<[string, Sale, Typed, readonly Omit<Change, 'atMs'>[]]>([
    ['the settings as they are', SALE, {}, []],
    [
      'a higher rate and visitors who do not turn up',
      { ...SALE, noShows: 0.3 },
      { ratePerMinute: 250 },
      [{ ratePerMinute: 250 }],
    ],
    ['a hold of five minutes', SALE, { holdMinutes: 5 }, [{ ratePerMinute: 0 }, { ratePerMinute: 150 }]],
    ['a full room', FULL, {}, []],
    ['more places in a full room', FULL, { totalActiveUsers: 220 }, [{ totalActiveUsers: 220 }]],
  ])('comes true in the simulator: %s', (_, sale, typed, changes) => {
    const world = sold(
      sale,
      changes.map((change, nth) => ({ ...change, atMs: (ASKED_AT + 5 * nth) * MINUTE })),
    )
    const rehearsed = drawn({ room: seenIn(world, sale), minutes: minutesOf(world), typed })
    const really = emptiedAfter(world)
    expect(Math.abs((emptyAfter(rehearsed) ?? 0) - really)).toBeLessThan(Math.max(0.05 * really, EMPTY_WITHIN))
    for (let after = 0; after < really - WAIT_MIN; after += 2) {
      const waited = waitAfter(world, after)
      const foreseen = foreseenAfter(rehearsed, after)
      expect(Math.abs(foreseen - waited), `${foreseen} instead of ${waited} after ${after} min`).toBeLessThan(
        Math.max(END_SHARE * (after + waited), SHORT_MINUTES),
      )
    }
  })
})

/** Visitors come evenly: a rehearsal knows no more of them than how many came in the last minute. */
function sold({ crowd, ...room }: Sale, changes: readonly Change[]): World {
  const [early, late] = crowd
  const evenly = (people: number, from: number, to: number) =>
    Array.from({ length: people }, (_, nth) => (from + ((to - from) * nth) / people) * MINUTE)
  const arrivalsMs = Float64Array.from([...evenly(early * 10, 0, 10), ...evenly(late * 60, 10, 70)])
  return played({ ...room, visitors: arrivalsMs.length, arrivalsMs, changes, untilMs: 70 * MINUTE })
}

function sampleAt({ samples }: World, minutes: number) {
  const found = samples.find(({ atMs }) => atMs >= minutes * MINUTE)
  if (!found) throw new Error(`the run was over after ${samples.length} s`)
  return found
}

/** The room as the admin API would answer it when the operator asks. */
function seenIn(world: World, { ratePerMinute, totalActiveUsers, noShows, sessionMs }: Sale) {
  const [now, before] = [sampleAt(world, ASKED_AT), sampleAt(world, ASKED_AT - 1)]
  const settings = { new_users_per_minute: ratePerMinute, total_active_users: totalActiveUsers }
  return seenRoom({
    settings: { ...settings, session_duration: sessionMs / MINUTE },
    figures: {
      ...{ active: now.active, waiting: Math.round(now.waiting), standing: now.standing, burst: ratePerMinute / 12 },
      ...{ admittedLastMinute: now.admitted - before.admitted, cameLastMinute: now.arrived - before.arrived },
      ...{ effectiveRatePerMinute: ratePerMinute, totalActiveUsers, showRate: 1 - noShows },
    },
  })
}

/** Returns the minutes before the question. Their times are set so that the operator asks at the time of `seenRoom`. */
function minutesOf(world: World): HistoryStep[] {
  const beganMs = Date.parse(seenRoom().now) - ASKED_AT * MINUTE
  return Array.from({ length: ASKED_AT }, (_, nth) => {
    const within = world.samples.filter(({ atMs }) => atMs > nth * MINUTE && atMs <= (nth + 1) * MINUTE)
    const admitted = (within.at(-1)?.admitted ?? 0) - (nth === 0 ? 0 : sampleAt(world, nth).admitted)
    return {
      ...unpacked(beganMs + nth * MINUTE, {}),
      admitted,
      inside: Math.max(...within.map(({ active }) => active)),
    }
  })
}

/** Returns after how many minutes the line had only visitors of the last five seconds. */
function emptiedAfter(world: World): number {
  const { samples } = world
  const found = samples.findIndex(
    ({ atMs, arrived, waiting }, nth) =>
      atMs > ASKED_AT * MINUTE && waiting <= arrived - (samples[Math.max(0, nth - 5)]?.arrived ?? 0) + 1,
  )
  return (samples[found]?.atMs ?? Number.NaN) / MINUTE - ASKED_AT
}

/** Returns the mean wait, in minutes, of the visitors who came in one half of a minute. */
function waitAfter({ visitors, startMs }: World, after: number): number {
  const fromMs = startMs + (ASKED_AT + after) * MINUTE
  const waits = visitors
    .filter(({ arrivesMs, isFaithful }) => isFaithful && arrivesMs >= fromMs && arrivesMs < fromMs + MINUTE / 2)
    .flatMap(({ stay, arrivesMs }) => (stay ? [(stay.admittedMs - arrivesMs) / MINUTE] : []))
  return waits.reduce((sum, wait) => sum + wait, 0) / waits.length
}

function foreseenAfter({ future, fromMs }: ReturnType<typeof drawn>, after: number): number {
  const waits = future.moments
    .filter(({ atMs }) => atMs >= fromMs + after * MINUTE && atMs < fromMs + (after + 0.5) * MINUTE)
    .map(({ waitMs }) => (waitMs ?? Number.NaN) / MINUTE)
  return waits.reduce((sum, wait) => sum + wait, 0) / waits.length
}
