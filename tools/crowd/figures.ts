/** A run in numbers, computed only from its record. */
import { displacementPlaces, maxIn, quantile, round } from '../simulation/order.ts'
import type { RunRecord, VisitorRecord } from './tally.ts'

export interface CrowdFigures {
  /** Visitors who arrived: all of them, unless the run was ended early. */
  visitors: number
  admitted: number
  /** Mean rate between the first admission and the last. */
  admittedPerMinute: number
  /** Most admissions within any ten seconds. A visitor is admitted when the origin first answers. */
  max10s: number
  max60s: number
  mostInside: number
  gaveUp: number
  stillWaiting: number
  waitP50Seconds: number
  waitP95Seconds: number
  /** How far the order of admission differs from the order in which places were taken. */
  displacementP95Seconds: number
  /** Answers to requests for pages, waiting pages included. Polls and assets are not counted. */
  statuses: Record<string, number>
  /** Requests of any kind without an answer. */
  errors: number
  errorSamples: string[]
  /** Requests of visitors without admission that reached the origin; null when the origin does not report them. */
  leaked: number | null
  ordersPlaced: number
  /** Pages with a 5xx or without an answer. Waiting pages are not counted. */
  pagesFailed: number
  /** Only the site's own pages count. If no answer came, the time that the visitor waited for it counts. */
  pageP95Ms: number
  /** Visitors inside who were shown the waiting page again. */
  sentBack: number
  polls: number
  seconds: number
  /** Robots that came beside the visitors, and how many of them were let in; absent without robots. */
  robots?: { arrived: number; admitted: number }
}

export function crowdFigures(run: RunRecord, leaked: number | null, endedMs: number): CrowdFigures {
  const everyone = run.visitors.filter(visitor => visitor.arrivedMs !== null)
  const arrived = everyone.filter(visitor => !visitor.isRobot)
  const robots = everyone.filter(visitor => visitor.isRobot)
  const admitted = arrived.filter(isAdmitted)
  const waits = ascending(admitted.map(visitor => (visitor.admittedMs ?? 0) - (visitor.arrivedMs ?? 0)))
  const admissions = ascending(run.admissionsMs)
  return {
    visitors: arrived.length,
    admitted: admitted.length,
    admittedPerMinute: round(ratePerMs(admissions, endedMs) * 60_000, 1),
    max10s: maxIn(admissions, 10_000),
    max60s: maxIn(admissions, 60_000),
    mostInside: run.mostInside,
    gaveUp: arrived.filter(visitor => visitor.now === 'gave up').length,
    stillWaiting: arrived.filter(visitor => visitor.now === 'coming' || visitor.now === 'in line').length,
    waitP50Seconds: round(quantile(waits, 0.5) / 1_000, 1),
    waitP95Seconds: round(quantile(waits, 0.95) / 1_000, 1),
    displacementP95Seconds: round(displacementP95Ms(admitted) / 1_000, 2),
    statuses: Object.fromEntries([...run.statuses].sort(([a], [b]) => a - b)),
    errors: run.errors,
    errorSamples: [...run.errorSamples],
    leaked,
    ordersPlaced: run.ordersPlaced,
    pagesFailed: run.pagesFailed,
    pageP95Ms: round(quantile(ascending(run.pagesMs), 0.95), 0),
    sentBack: run.sentBack,
    polls: run.polls,
    seconds: round(endedMs / 1_000, 1),
    ...(robots.length === 0 ? {} : { robots: { arrived: robots.length, admitted: robots.filter(isAdmitted).length } }),
  }
}

function isAdmitted({ admittedMs }: VisitorRecord): boolean {
  return admittedMs !== null
}

/** Displacement in places, converted to time at the mean rate at which visitors with a place were admitted. */
export function displacementP95Ms(visitors: readonly Pick<VisitorRecord, 'placeMs' | 'admittedMs'>[]): number {
  const stood = visitors.flatMap(({ placeMs, admittedMs }) =>
    placeMs === null || admittedMs === null ? [] : [{ placeMs, admittedMs }],
  )
  if (stood.length < 2) return 0
  stood.sort((a, b) => a.admittedMs - b.admittedMs)
  const places = ascending(displacementPlaces(stood.map(({ placeMs }) => placeMs)).map(Math.abs))
  const admissions = stood.map(({ admittedMs }) => admittedMs)
  const perMs = ratePerMs(admissions, admissions.at(-1) ?? 0)
  return quantile(places, 0.95) / perMs
}

/** The mean rate between the first time and the last. If the two are equal, the rate is over the whole run. */
function ratePerMs(times: readonly number[], endedMs: number): number {
  const spanMs = (times.at(-1) ?? 0) - (times[0] ?? 0)
  return spanMs > 0 ? (times.length - 1) / spanMs : times.length / Math.max(1, endedMs)
}

function ascending(values: readonly number[]): number[] {
  return [...values].sort((a, b) => a - b)
}
