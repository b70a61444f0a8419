/** The figures of one run of a scenario, computed only from the records of the crowd and of the origin. */

import { costUsd } from '../../src/core/history/prices.ts'
import type { PageRecord, RunRecord } from '../crowd/tally.ts'
import { quantile, round } from '../simulation/order.ts'

export interface Column {
  readonly visitors: number
  /** Visitors with at least four pages served for each page that failed. */
  readonly visitorsServed: number
  /** Pages requested from the site. `pagesFailed` counts those with a 5xx or without an answer. */
  readonly pages: number
  readonly pagesFailed: number
  /** The pages that failed, without those of the broken dependency itself (`POST /checkout`). */
  readonly pagesFailedElsewhere: number
  /** Pages that the room showed to visitors inside while the site was down. Their sessions went on. */
  readonly pagesBlocked: number
  /** Pages that failed more than 20 s after the first failed page, without those of the broken dependency itself. */
  readonly pagesFailedLate: number
  readonly p50Ms: number
  readonly p95Ms: number
  /** The longest time in which most pages failed. */
  readonly longestOutageSeconds: number
  readonly ordersBegun: number
  readonly ordersCompleted: number
  readonly ordersLost: number
  readonly admittedPerMinute: number
  /** Time from the trouble until the site was healthy for a minute; null when it never was. */
  readonly healthyAfterSeconds: number | null
  /** The share of the time after the recovery in which the site was not healthy; null without a recovery. */
  readonly relapsedShare: number | null
  /** The share of the origin's capacity that was used, over the whole run. */
  readonly usedShare: number
  readonly spoiled: number
  /** Orders spoiled later than two seconds after the operator's first change; null without such a change. */
  readonly spoiledAfterClosing: number | null
  /**
   * Median memory of the Worker's process in the last third of the run, divided by the median in the second third; null
   * if the memory cannot be read.
   */
  readonly memoryGrowth: number | null
  /** The p95 of pages in the last third of the run, divided by the p95 in the second third. */
  readonly slowdown: number | null
  readonly pollsPerVisitor: number
  readonly originRequestsPerVisitor: number
  readonly objectCallsPerVisitor: number
  readonly leaked: number | null
  /** The cost of the room at Cloudflare's prices. The cost of the origin is not known. Null without a room. */
  readonly costUsd: number | null
}

interface OriginRecord {
  readonly requests: number
  readonly workDone: number
  readonly orders: number
  readonly spoiled: number
}

export interface Played {
  readonly record: RunRecord & { readonly objectCalls: number }
  readonly origin: OriginRecord
  readonly leaked: number | null
  readonly endedMs: number
  readonly hasRoom: boolean
  /** Rooms and doors that were awake. */
  readonly objects: number
  /** Orders spoiled until the operator's change was in force. Without the room: until it would have been in force. */
  readonly spoiledAtClosing: number | null
  /** The memory of the Worker's process over time, in bytes. */
  readonly memory: readonly Sample[]
}

export interface Sample {
  readonly atMs: number
  readonly value: number
}

/** A site has recovered when it has been healthy for this long. */
const HEALTHY_FOR_MS = 60_000
const WINDOW_MS = 10_000
const STEP_MS = 1_000
const COLLAPSE_MS = 20_000
const FAILED_SHARE_MAX = 0.05
/** A window with fewer pages than this is too small to be judged. */
const PAGES_MIN = 5

export function columnOf(
  played: Played,
  scenario: { capacity: number; troubleSeconds: number; targetMs: number },
): Column {
  const { record, origin, endedMs } = played
  const { pages, visitors } = record
  const arrived = visitors.filter(({ arrivedMs }) => arrivedMs !== null)
  const perVisitor = (count: number, digits = 1) => round(count / Math.max(1, arrived.length), digits)
  const times = Float64Array.from(
    pages.filter(({ isOrigin, status }) => isOrigin || status === 0),
    ({ tookMs }) => tookMs,
  ).sort()
  const requests = pages.length + record.polls + record.answers
  return {
    visitors: arrived.length,
    visitorsServed: arrived.filter(({ pagesServed, pagesFailed }) => pagesServed > 0 && pagesServed >= 4 * pagesFailed)
      .length,
    pages: pages.length,
    pagesFailed: pages.filter(isFailed).length,
    pagesFailedElsewhere: pages.filter(page => isFailed(page) && page.what !== 'POST /checkout').length,
    pagesBlocked: record.pagesBlocked,
    pagesFailedLate: failedLate(pages),
    p50Ms: Math.round(quantile(times, 0.5)),
    p95Ms: Math.round(quantile(times, 0.95)),
    longestOutageSeconds: longestOutage(pages, endedMs),
    ordersBegun: record.ordersBegun,
    ordersCompleted: record.ordersPlaced,
    ordersLost: record.ordersLost,
    admittedPerMinute: round((record.admissionsMs.length / endedMs) * 60_000, 1),
    ...recovery(pages, scenario.troubleSeconds * 1_000, endedMs, 2 * scenario.targetMs),
    usedShare: round(origin.workDone / (scenario.capacity * (endedMs / 1_000)), 3),
    spoiled: origin.spoiled,
    spoiledAfterClosing: played.spoiledAtClosing === null ? null : origin.spoiled - played.spoiledAtClosing,
    memoryGrowth: lastThirdOver(played.memory, endedMs, 0.5),
    slowdown: lastThirdOver(
      pages.map(({ atMs, tookMs }) => ({ atMs, value: tookMs })),
      endedMs,
      0.95,
    ),
    pollsPerVisitor: perVisitor(record.polls),
    originRequestsPerVisitor: perVisitor(origin.requests),
    objectCallsPerVisitor: perVisitor(record.objectCalls, 2),
    leaked: played.leaked,
    costUsd: played.hasRoom ? round(costOf(played, requests), 4) : null,
  }
}

/** Counts the failures after the collapse. When an origin collapses, some pages fail before any room can react. */
function failedLate(pages: readonly PageRecord[]): number {
  const failed = pages.filter(page => isFailed(page) && page.what !== 'POST /checkout')
  const fromMs = (failed[0]?.atMs ?? 0) + COLLAPSE_MS
  return failed.filter(({ atMs }) => atMs > fromMs).length
}

export function isFailed({ status }: PageRecord): boolean {
  return status === 0 || status >= 500
}

/** The longest outage in seconds. A second belongs to one if most pages of the 5 s around it failed. */
export function longestOutage(pages: readonly PageRecord[], endedMs: number): number {
  let longest = 0
  let now = 0
  for (let atMs = 0; atMs < endedMs; atMs += 1_000) {
    const window = within(pages, atMs - 2_000, atMs + 3_000)
    const failed = window.filter(isFailed).length
    now = window.length >= PAGES_MIN && failed > window.length / 2 ? now + 1 : 0
    longest = Math.max(longest, now)
  }
  return longest
}

/** Returns the time from `troubleMs` until the site recovered, and the share of the rest in which it was unhealthy. */
export function recovery(
  pages: readonly PageRecord[],
  troubleMs: number,
  endedMs: number,
  healthyMs: number,
): Pick<Column, 'healthyAfterSeconds' | 'relapsedShare'> {
  const isGood: boolean[] = []
  for (let atMs = troubleMs; atMs + WINDOW_MS <= endedMs; atMs += STEP_MS)
    isGood.push(isHealthy(within(pages, atMs, atMs + WINDOW_MS), healthyMs))
  const forSteps = Math.min(HEALTHY_FOR_MS / STEP_MS, isGood.length)
  const first = isGood.findIndex((_, step) => {
    const minute = isGood.slice(step, step + forSteps)
    return minute.length === forSteps && minute.every(Boolean)
  })
  if (first === -1) return { healthyAfterSeconds: null, relapsedShare: null }
  const after = isGood.slice(first)
  return {
    healthyAfterSeconds: (first * STEP_MS) / 1_000,
    relapsedShare: round(after.filter(good => !good).length / after.length, 3),
  }
}

function isHealthy(window: readonly PageRecord[], healthyMs: number): boolean {
  if (window.length < PAGES_MIN) return true
  const times = Float64Array.from(window, ({ tookMs }) => tookMs).sort()
  const failed = window.filter(isFailed).length
  return quantile(times, 0.95) <= healthyMs && failed <= FAILED_SHARE_MAX * window.length
}

/** `pages` must be in order of their ends. */
function within(pages: readonly PageRecord[], fromMs: number, untilMs: number): readonly PageRecord[] {
  return pages.slice(indexAt(pages, fromMs), indexAt(pages, untilMs))
}

function indexAt(pages: readonly PageRecord[], atMs: number): number {
  let low = 0
  let high = pages.length
  while (low < high) {
    const middle = (low + high) >> 1
    if ((pages[middle] as PageRecord).atMs < atMs) low = middle + 1
    else high = middle
  }
  return low
}

/** Divides a quantile of the last third of the run by that of the second third. The first third is a warm-up. */
export function lastThirdOver(samples: readonly Sample[], endedMs: number, q: number): number | null {
  const third = (from: number) =>
    Float64Array.from(
      samples.filter(({ atMs }) => atMs >= (from * endedMs) / 3 && atMs < ((from + 1) * endedMs) / 3),
      ({ value }) => value,
    ).sort()
  const [before, after] = [third(1), third(2)]
  return before.length === 0 || after.length === 0 ? null : round(quantile(after, q) / quantile(before, q), 2)
}

/** Assumes that every active object is awake all the time, and that each tier calls the one above once a second. */
function costOf({ record, objects, endedMs }: Played, workerRequests: number): number {
  const seconds = endedMs / 1_000
  return costUsd({
    workerRequests,
    objectRequests: record.objectCalls + objects * seconds,
    objectSeconds: objects * seconds,
    rowsRead: 0,
    rowsWritten: record.admissionsMs.length * 2 + objects * seconds,
  })
}
