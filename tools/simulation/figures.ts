/** The results of a run: use of the rate, order, waits, windows, and what it would have cost. */

import { costUsd } from '../../src/core/history/prices.ts'
import { MAIN_LANE } from '../../src/core/ticket.ts'
import { burstAt } from './checks.ts'
import { estimateErrors, rangesTrueShare } from './estimates.ts'
import { displacementPlaces, kendallTau, maxIn, quantile, round } from './order.ts'
import { useOf } from './use.ts'
import type { Habit, Visitor } from './visitor.ts'
import type { World } from './world.ts'

export interface Figures {
  admitted: number
  violations: number
  /** The permits that were used, as a share of those that the limits allowed while people waited. */
  usedShare: number
  maxWindow: Record<string, number>
  boundWindow: Record<string, number>
  mostInside: number
  waitP50Seconds: number
  waitP95Seconds: number
  displacementP50Seconds: number
  displacementP95Seconds: number
  displacementMaxSeconds: number
  displacementP95Places: number
  kendallTau: number
  /** Relative error of the waits shown after the first ten minutes; null when no wait was shown so late. */
  estimateErrorMedian: number | null
  estimateErrorFirstMedian: number | null
  estimateErrorLastSeconds: number | null
  /** The share of shown ranges that were right: the visitor was admitted within them. Null if none was shown. */
  rangesTrueShare: number | null
  /**
   * The largest quotient of a shown wait and the wait shown at the poll before. Waits with a shown reason do not count.
   */
  waitRiseMax: number
  pollsPerVisitor: number
  objectCallsPerVisitor: number
  rowsWritten: number
  costUsd: number
  costUsdPerHour: number
  /** The largest number of doors that newcomers went to. */
  doors: number
  /** The most calls and syncs that a door got in a second, and the most reports that the room got in a second. */
  busiestDoorPerSecond: number
  busiestRoomPerSecond: number
  /** The size of the largest snapshot as JSON. Each edge gets a snapshot at most once a second. */
  snapshotBytesMax: number
  missed: number
  lastAdmittedSeconds: number
  /** Requests of robots that keep no cookies, and how many admissions they got; absent without robots. */
  robots?: { requests: number; admitted: number }
  /**
   * Scripts that kept their ticket: how many counted in line and were let in, beside the people who were. Absent
   * without scripts.
   */
  scripts?: { counted: number; admitted: number; peopleAdmitted: number }
  /**
   * Requests of sessions that a limit allowed and refused, and calls to doors per 1,000 requests; absent without a
   * limit.
   */
  requestsAllowed?: number
  requestsLimited?: number
  /** Requests decided by an isolate alone, because its door did not answer. */
  requestsAlone?: number
  limitCallsPerThousand?: number
  /** The figures of people with each habit (`Habit`), by the habit. Absent if all people have one ticket. */
  habits?: Record<string, { people: number; admitted: number; waitMeanSeconds: number; waitP50Seconds: number }>
  /** The figures of each lane, by its name. The main lane is `main`. Absent without lanes. */
  lanes?: Record<string, { admitted: number; waitP50Seconds: number; waitP95Seconds: number }>
}

const WINDOWS_SECONDS = [1, 10, 60]

/** Waits, order and estimates count only visitors who kept polling. The rest counts all visitors. */
export function figuresOf(world: World): Figures {
  const { checks, counts, load, scenario, usage, visitors } = world
  const at = checks.admissions.map(({ atMs }) => atMs)
  const people = new Set(visitors.map(({ person }) => person)).size
  const ratePerMinute = world.ratePerMinute
  const perSecond = ratePerMinute / 60
  const keys = checks.faithfulKeys()
  const displaced = Float64Array.from(displacementPlaces(keys), Math.abs).sort()
  const faithful = visitors.filter(({ isFaithful }) => isFaithful)
  const waits = waitsSeconds(faithful)
  const estimates = estimateErrors(faithful)
  const seconds = (places: number) => (perSecond > 0 ? round(places / perSecond, 2) : 0)
  return {
    admitted: at.length,
    violations: checks.violations.length,
    usedShare: round(useOf(world.samples).share, 4),
    maxWindow: Object.fromEntries(WINDOWS_SECONDS.map(s => [s, maxIn(at, s * 1_000)])),
    boundWindow: Object.fromEntries(
      WINDOWS_SECONDS.map(s => [s, Math.floor(perSecond * s + burstAt(ratePerMinute) + 1e-9)]),
    ),
    mostInside: checks.mostInside,
    waitP50Seconds: round(quantile(waits, 0.5), 1),
    waitP95Seconds: round(quantile(waits, 0.95), 1),
    displacementP50Seconds: seconds(quantile(displaced, 0.5)),
    displacementP95Seconds: seconds(quantile(displaced, 0.95)),
    displacementMaxSeconds: seconds(displaced.at(-1) ?? 0),
    displacementP95Places: round(quantile(displaced, 0.95), 1),
    kendallTau: round(kendallTau(keys), 4),
    estimateErrorMedian: median(estimates.any, 3),
    estimateErrorFirstMedian: median(estimates.first, 3),
    estimateErrorLastSeconds: median(estimates.lastSeconds, 1),
    rangesTrueShare: share(rangesTrueShare(faithful)),
    waitRiseMax: round(checks.waitRiseMax, 3),
    pollsPerVisitor: round(counts.polls / people, 1),
    objectCallsPerVisitor: round((counts.objectCalls + world.limitCalls) / people, 2),
    rowsWritten: usage.rowsWritten,
    costUsd: round(costUsd(usage), 4),
    costUsdPerHour: round((costUsd(usage) * 3_600) / Math.max(1, world.samples.length), 2),
    doors: load.doorsMax,
    busiestDoorPerSecond: load.doorMax,
    busiestRoomPerSecond: load.roomMax,
    snapshotBytesMax: load.snapshotBytesMax,
    missed: counts.missed,
    lastAdmittedSeconds: round(((at.at(-1) ?? world.startMs) - world.startMs) / 1_000, 1),
    ...(scenario.robots ? { robots: { requests: counts.robotRequests, admitted: counts.robotsAdmitted } } : {}),
    ...(scenario.scripts ? { scripts: scriptsOf(world) } : {}),
    ...(scenario.limit ? requestsOf(world) : {}),
    ...(scenario.holders || scenario.droppers ? { habits: habitsOf(visitors) } : {}),
    ...(scenario.lanes ? { lanes: lanesOf(world, scenario.lanes) } : {}),
  }
}

function share(exact: number | null): number | null {
  return exact === null ? null : round(exact, 3)
}

function scriptsOf({ checks, counts }: World): NonNullable<Figures['scripts']> {
  const admitted = checks.admissions.filter(({ visitor }) => visitor.isScript).length
  return { counted: counts.scriptsCounted, admitted, peopleAdmitted: checks.admissions.length - admitted }
}

function requestsOf({ checks, limitCalls }: World) {
  const { allowed = 0, limited = 0, alone = 0 } = checks.limit ?? {}
  const thousands = (allowed + limited + alone) / 1_000
  return {
    requestsAllowed: allowed,
    requestsLimited: limited,
    requestsAlone: alone,
    limitCallsPerThousand: thousands > 0 ? round(limitCalls / thousands, 1) : 0,
  }
}

function habitsOf(visitors: readonly Visitor[]): NonNullable<Figures['habits']> {
  const of = (habit: Habit) => {
    const tickets = visitors.filter(({ person }) => person.habit === habit)
    const waits = waitsSeconds(tickets.filter(({ isFaithful }) => isFaithful))
    return {
      people: new Set(tickets.map(({ person }) => person)).size,
      admitted: waits.length,
      waitMeanSeconds: round(waits.reduce((sum, wait) => sum + wait, 0) / Math.max(1, waits.length), 1),
      waitP50Seconds: round(quantile(waits, 0.5), 1),
    }
  }
  return { single: of('single'), several: of('several'), drops: of('drops') }
}

function lanesOf({ checks, visitors }: World, lanes: readonly { name: string }[]): NonNullable<Figures['lanes']> {
  const of = (lane: string) => {
    const waits = waitsSeconds(visitors.filter(visitor => visitor.isFaithful && visitor.lane === lane))
    return {
      admitted: checks.admissions.filter(({ visitor }) => visitor.lane === lane).length,
      waitP50Seconds: round(quantile(waits, 0.5), 1),
      waitP95Seconds: round(quantile(waits, 0.95), 1),
    }
  }
  return Object.fromEntries([MAIN_LANE, ...lanes.map(({ name }) => name)].map(lane => [lane, of(lane)]))
}

/** How long those who were admitted waited, from the arrival of their person on, in ascending order. */
function waitsSeconds(visitors: readonly Visitor[]): Float64Array {
  const waits = visitors.flatMap(({ stay, person }) => (stay ? [(stay.admittedMs - person.arrivesMs) / 1_000] : []))
  return Float64Array.from(waits).sort()
}

function median(values: readonly number[], digits: number): number | null {
  return values.length === 0 ? null : round(quantile(Float64Array.from(values).sort(), 0.5), digits)
}
