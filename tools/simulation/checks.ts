/**
 * The guarantees, checked at every event: I1, I2, I4, I7 and I11 as they happen, I5 and I6 over the whole run. A
 * violation is kept with its time, and the run goes on. The bounds are written out here: if they came from `core`, they
 * would repeat its mistakes.
 */
import { doorOf, MAIN_LANE } from '../../src/core/ticket.ts'
import { LimitCheck } from './limit-check.ts'
import { displacementPlaces, kendallTau, quantile } from './order.ts'
import { type Change, CLAIM_WINDOW_MS, type Scenario, START_MS } from './scenario.ts'
import { Shares } from './shares.ts'
import type { Use } from './use.ts'
import type { Visitor } from './visitor.ts'

interface Violation {
  readonly invariant: string
  readonly atMs: number
  readonly detail: string
  readonly visitor: Visitor | null
}

export interface Admission {
  readonly atMs: number
  readonly key: number
  readonly visitor: Visitor
}

/** The sessions inside, as the world counts them. */
export interface Inside {
  /** `live`: sessions that take a place. `out`: permits that doors may still spend, or are about to receive. */
  readonly live: number
  readonly out: number
}

const BURST_SECONDS = 5
const BURST_MIN = 3
const USED_SHARE_MIN = 0.98
const DISPLACED_SECONDS_MAX = 10
const DISPLACED_PLACES_MAX = 5
const TAU_MIN = 0.99
/** A shown wait rises by at most a tenth from poll to poll, unless the page also shows the reason. */
const WAIT_RISE_MAX = 1.1001
/** Shorter waits are all displayed as "less than a minute". */
const WAIT_SHORT_MS = 30_000
/** The use of permits is judged after `USE_FROM_MS` with a line, and the order after `ORDER_FROM_MS` of service. */
const USE_FROM_MS = 10 * 60_000
const ORDER_FROM_MS = 20 * 60_000
/** A draw fixes the whole order at the start, so order is judged sooner. */
const DRAWN_ORDER_FROM_MS = 4 * 60_000
/** Beyond this loss or these evictions permits may be wasted, and the order may differ. All else is guaranteed. */
const LOSS_CALM = 0.01
const EVICTIONS_CALM_PER_MINUTE = 3
/** Clock skew, an old snapshot and the network may together shorten the claim window by this much. */
const ABSENCE_SLACK_MS = 15_000

export function burstAt(ratePerMinute: number): number {
  return Math.max(BURST_MIN, (ratePerMinute / 60) * BURST_SECONDS)
}

export class Checks {
  readonly violations: Violation[] = []
  /** All admissions, in order of time. */
  readonly admissions: Admission[] = []
  mostInside = 0
  /** The largest rise between two waits shown in a row for the same place, as a quotient. */
  waitRiseMax = 1
  /** Null if sessions have no rate limit. */
  readonly limit: LimitCheck | null
  /** Null if there is only one lane. */
  readonly shares: Shares | null
  readonly #scenario: Scenario
  readonly #sids = new Set<string>()
  #ratePerMinute: number
  #burst: number
  #largestTotal: number
  /**
   * How many admissions are ahead of the rate. This is a leaky bucket: I1 holds in every window while the level is at
   * most `burst`.
   */
  #level = 0
  #levelAtMs = 0

  constructor(scenario: Scenario) {
    this.#scenario = scenario
    this.limit = scenario.limit ? new LimitCheck(scenario.limit) : null
    this.shares = scenario.lanes ? new Shares(scenario.lanes) : null
    this.#ratePerMinute = scenario.ratePerMinute
    this.#burst = burstAt(scenario.ratePerMinute)
    this.#largestTotal = scenario.totalActiveUsers
  }

  limits(limits: Pick<Scenario, 'ratePerMinute' | 'totalActiveUsers'>, nowMs: number): void {
    this.#leak(nowMs)
    this.#ratePerMinute = limits.ratePerMinute
    this.#burst = Math.max(this.#burst, burstAt(limits.ratePerMinute))
    this.#largestTotal = Math.max(this.#largestTotal, limits.totalActiveUsers)
  }

  admitted(visitor: Visitor, { sid, key }: { readonly sid: string; readonly key: number }, nowMs: number): void {
    this.#leak(nowMs)
    this.#level++
    if (this.#level > this.#burst + 1e-6) {
      this.#violate('I1', nowMs, `${this.#level.toFixed(3)} admissions ahead of the rate, burst ${this.#burst}`)
    }
    const { drawAtMs = 0 } = this.#scenario
    if (nowMs < START_MS + drawAtMs && key >= START_MS) {
      this.#violate('I6', nowMs, `visitor ${visitor.number} was let in before the start of the event`, visitor)
    }
    if (this.#sids.has(sid)) this.#violate('I7', nowMs, `${sid} was admitted twice`, visitor)
    this.#sids.add(sid)
    this.admissions.push({ atMs: nowMs, key, visitor })
  }

  inside({ live, out }: Inside, nowMs: number): void {
    if (live + out > this.mostInside) this.mostInside = live + out
    if (live + out > this.#largestTotal) {
      this.#violate('I2', nowMs, `${live} live and ${out} permits out, total ${this.#largestTotal}`)
    }
  }

  /** A shown position never rises, and no place is shown before its draw has taken place. */
  shown(visitor: Visitor, position: number, nowMs: number): void {
    const before = visitor.shownPosition
    visitor.shownPosition = position
    if (before > 0 && position > before) {
      this.#violate('I4', nowMs, `visitor ${visitor.number} was shown ${before}, then ${position}`, visitor)
    }
    const { secretUntilMs } = visitor
    if (nowMs < secretUntilMs) {
      const detail = `visitor ${visitor.number} was shown a place ${Math.ceil(secretUntilMs - nowMs)} ms before its draw`
      this.#violate('draw', nowMs, detail, visitor)
    }
  }

  /** A shown wait rises little from poll to poll, unless the page gives the reason. */
  waitShown(visitor: Visitor, waitMs: number, mayRise: boolean, nowMs: number): void {
    const beforeMs = visitor.shownWaitMs
    visitor.shownWaitMs = waitMs
    if (mayRise || beforeMs === 0) return
    const rise = waitMs / Math.max(WAIT_SHORT_MS, beforeMs)
    this.waitRiseMax = Math.max(this.waitRiseMax, rise)
    if (rise > WAIT_RISE_MAX) {
      const detail = `visitor ${visitor.number} was shown a wait ${((rise - 1) * 100).toFixed(1)} % longer, without a reason`
      this.#violate('wait', nowMs, detail, visitor)
    }
  }

  /** A visitor may lose the turn only after being away for a whole claim window. */
  missed(visitor: Visitor, lastSeenMs: number, nowMs: number): void {
    const awayMs = nowMs - lastSeenMs
    if (awayMs < CLAIM_WINDOW_MS - ABSENCE_SLACK_MS - 2 * this.#scenario.clockSkewMs) {
      this.#violate(
        'I4',
        nowMs,
        `visitor ${visitor.number} lost a place after ${Math.round(awayMs / 1_000)} s away`,
        visitor,
      )
    }
  }

  lostSession(visitor: Visitor, expiresMs: number, nowMs: number): void {
    if (nowMs < expiresMs) {
      this.#violate(
        'I4',
        nowMs,
        `visitor ${visitor.number} lost a session that had ${expiresMs - nowMs} ms left`,
        visitor,
      )
    }
  }

  /** A limit has let a request of a session pass. */
  passed(visitor: Visitor, sid: string, nowMs: number): void {
    const over = this.limit?.passes(sid, doorOf(sid), nowMs) ?? 0
    if (over > 0) this.#violate('I11', nowMs, `${sid} is ${over.toFixed(2)} requests beyond its limit`, visitor)
  }

  /**
   * Every place is counted once. After an eviction a count may be too high: the door that died and its successor may
   * both have passed on the same report.
   */
  counted(taken: number, counted: number, nowMs: number): void {
    if (this.#scenario.evictions === 0 && counted > taken) {
      this.#violate('I4', nowMs, `${taken} places were taken, and ${counted} are counted in line`)
    }
  }

  finish(use: Use, nowMs: number): void {
    const { loss, evictions, changes, lanes, drawAtMs } = this.#scenario
    const minutes = Math.max(1, (nowMs - START_MS) / 60_000)
    const isCalm = loss <= LOSS_CALM && evictions / minutes <= EVICTIONS_CALM_PER_MINUTE && changes.every(isStart)
    if (!isCalm) return
    if (use.rateBoundMs >= USE_FROM_MS && use.share < USED_SHARE_MIN) {
      this.#violate('I5', nowMs, `${(use.share * 100).toFixed(1)} % of the permits were used while a line stood`)
    }
    for (const detail of this.shares?.starved() ?? []) this.#violate('share', nowMs, detail)
    const isLong = use.rateBoundMs >= ORDER_FROM_MS
    if (!isLong && (drawAtMs === undefined || use.rateBoundMs < DRAWN_ORDER_FROM_MS)) return
    for (const lane of [MAIN_LANE, ...(lanes ?? []).map(({ name }) => name)]) this.#order(lane, isLong, nowMs)
  }

  /** Keys of the visitors of one lane who kept polling, in order of admission. Each lane has an order of its own. */
  faithfulKeys(lane = MAIN_LANE): number[] {
    return this.admissions.filter(({ visitor }) => visitor.isFaithful && visitor.lane === lane).map(({ key }) => key)
  }

  #order(lane: string, isLong: boolean, nowMs: number): void {
    const keys = this.faithfulKeys(lane)
    const p95 = quantile(displacementPlaces(keys).map(Math.abs).sort(ascending), 0.95)
    const most = Math.max((DISPLACED_SECONDS_MAX * this.#ratePerMinute) / 60, DISPLACED_PLACES_MAX)
    const tau = kendallTau(keys)
    if (p95 > most) this.#violate('I6', nowMs, `displacement p95 is ${p95} places, at most ${most}`)
    if (isLong && tau < TAU_MIN) this.#violate('I6', nowMs, `Kendall's tau is ${tau.toFixed(4)}`)
  }

  #leak(nowMs: number): void {
    this.#level = Math.max(0, this.#level - ((nowMs - this.#levelAtMs) * this.#ratePerMinute) / 60_000)
    this.#levelAtMs = nowMs
  }

  #violate(invariant: string, atMs: number, detail: string, visitor: Visitor | null = null): void {
    this.violations.push({ invariant, atMs, detail, visitor })
  }
}

/** Whether this is the only change of a run. It then sets the first rate of a room that was paused until its start. */
function isStart(_: Change, index: number, changes: readonly Change[]): boolean {
  return changes.length === 1 && index === 0
}

function ascending(a: number, b: number): number {
  return a - b
}
