/** A run in numbers. Pure: from what was noted, nothing else. */
import { displacementPlaces, maxIn, quantile, round } from '../simulation/order.ts'
import type { RunRecord, VisitorRecord } from './tally.ts'

export interface CrowdFigures {
  /** Who arrived; all of them, unless the run was ended early. */
  visitors: number
  admitted: number
  /** Mean rate between the first admission and the last. */
  admittedPerMinute: number
  /** Most admissions in any such window, at the first answer of the origin as a visitor sees it. */
  max10s: number
  max60s: number
  mostInside: number
  gaveUp: number
  stillWaiting: number
  waitP50Seconds: number
  waitP95Seconds: number
  /** How far the order of admission is from the order of taking a place. */
  displacementP95Seconds: number
  /** Answers to requests for pages, waiting pages included; polls and assets are not. */
  statuses: Record<string, number>
  /** Requests of any kind without an answer. */
  errors: number
  errorSamples: string[]
  /** Requests of never admitted visitors that reached the origin; null when it does not say. */
  leaked: number | null
  ordersPlaced: number
  /** Pages with a 5xx or without an answer, waiting pages not counted. */
  pagesFailed: number
  /** Of the site's own pages; those without an answer count with the time they were waited for. */
  pageP95Ms: number
  /** Visitors inside who were shown the waiting page again. */
  sentBack: number
  polls: number
  seconds: number
}

export function crowdFigures(run: RunRecord, leaked: number | null, endedMs: number): CrowdFigures {
  const arrived = run.visitors.filter(visitor => visitor.arrivedMs !== null)
  const admitted = arrived.filter(visitor => visitor.admittedMs !== null)
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
  }
}

/** Places out of turn as time of service: at the mean rate at which visitors with a place were admitted. */
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

/** Between the first and the last; a single one, or all at once, by the time the run took. */
function ratePerMs(times: readonly number[], endedMs: number): number {
  const spanMs = (times.at(-1) ?? 0) - (times[0] ?? 0)
  return spanMs > 0 ? (times.length - 1) / spanMs : times.length / Math.max(1, endedMs)
}

function ascending(values: readonly number[]): number[] {
  return [...values].sort((a, b) => a - b)
}
