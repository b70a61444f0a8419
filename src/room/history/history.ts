/** The past of a room: its figures by the minute and by the hour, and what happened when. */

import type { Advice } from '../../core/history/advice.ts'
import { departuresPerMinute, type Forecast } from '../../core/history/forecast.ts'
import { beginMinute, type HistoryStep, inSteps, isOver, noteGauges, soFar } from '../../core/history/history.ts'
import { type Flow, flowIn, LastMinute } from '../../core/history/last-minute.ts'
import { newcomersWaitMs } from '../../core/place/newcomer.ts'
import type { Change, HistoryMarker, HistoryQuery, HistoryReport } from '../../core/protocol/calls.ts'
import { type RoomRules, type RoomState, sums, waitingTotal } from '../../core/room/room.ts'
import { HOUR_MS, MINUTE_MS } from '../../core/timing.ts'
import type { RoomSettings } from '../../settings/compiled/room.ts'
import type { HealthNow, RoomHealth } from '../health/health.ts'
import { turnsAt } from '../log.ts'
import { roomAdvice } from './advice.ts'
import { roomForecast } from './forecast.ts'
import { HistoryStore } from './store.ts'

/**
 * The time that counts as lately. In a shorter time, visitors who came together would dominate. A longer time would
 * follow a change too slowly.
 */
const LATELY_MS = 10 * MINUTE_MS

export class RoomHistory {
  readonly #store: HistoryStore
  readonly #state: RoomState
  readonly #health: RoomHealth
  readonly #lastMinute: LastMinute

  constructor(sql: SqlStorage, state: RoomState, health: RoomHealth) {
    this.#store = new HistoryStore(sql)
    this.#state = state
    this.#health = health
    const storedMs = state.tickedAtMs
    this.#lastMinute = new LastMinute(flowIn(state.totals), this.#lastMinutes(storedMs, 2 * MINUTE_MS), storedMs)
  }

  /**
   * Saves the open minute once it is over. Must be called before the next report is applied, and before the origin's
   * health begins its next minute.
   */
  endMinute(nowMs: number): void {
    const { history, totals } = this.#state
    if (!isOver(history, nowMs)) return
    const endsHour = Math.floor((history.minute * MINUTE_MS) / HOUR_MS) < Math.floor(nowMs / HOUR_MS)
    this.#store.saveMinute(this.#openStep(), endsHour)
    beginMinute(history, totals, this.#people(), nowMs)
  }

  /** Notes the room as it is after a report. Must be called before the room is saved. */
  note(rules: RoomRules, nowMs: number): void {
    const { snapshot, history, totals } = this.#state
    this.#lastMinute.note(flowIn(totals), nowMs)
    const { ratePerMinute, totalActiveUsers, claimWindowMs } = rules
    const waitMs = snapshot ? newcomersWaitMs(snapshot, claimWindowMs, nowMs) : null
    noteGauges(history, { ...this.#people(), ratePerMinute, totalActiveUsers, waitMs })
  }

  /** Returns the forecast under limits other than those of the settings. Origin health may lower either. */
  forecast(other: Partial<RoomRules>, settings: RoomSettings, now: HealthNow): Forecast {
    const operator = { ...settings.at(now.nowMs).admission, ...other }
    const limits = this.#health.limits(operator, now)
    const health = this.#health.figures(operator, now)
    const { nowMs } = now
    const departures = departuresPerMinute(this.#lastMinutes(nowMs), sums(this.#state).live, nowMs)
    const { came } = this.#lastMinute.at(nowMs)
    return roomForecast(this.#state, { limits, health, settings, came, departures, nowMs })
  }

  /** Returns the forecast under the limits in force, and the advice that follows from it. */
  outlook(settings: RoomSettings, now: HealthNow): { readonly forecast: Forecast; readonly advice: readonly Advice[] } {
    const forecast = this.forecast({}, settings, now)
    const operator = settings.at(now.nowMs).admission
    const seen = {
      forecast,
      minutes: this.#lastMinutes(now.nowMs),
      limits: this.#health.limits(operator, now),
      health: this.#health.figures(operator, now),
    }
    return { forecast, advice: roomAdvice(this.#state, seen, settings, now.nowMs) }
  }

  #lastMinutes(nowMs: number, pastMs = LATELY_MS): HistoryStep[] {
    return this.#steps({ fromMs: nowMs - pastMs, toMs: nowMs + 1, stepMs: MINUTE_MS })
  }

  /** Returns the newcomers and the admissions of the last minute. */
  lastMinute(nowMs: number): Flow {
    return this.#lastMinute.at(nowMs)
  }

  /** Returns how many doors have reported since `ms`, at least one. */
  doorsSince(ms: number): number {
    const doors = [...this.#state.doors.values()]
    return Math.max(1, doors.filter(({ reportedAtMs }) => reportedAtMs >= ms).length)
  }

  /** Returns the history. `changes` are the live changes in the requested time. */
  report(query: HistoryQuery, changes: readonly Change[], settings: RoomSettings): HistoryReport {
    const decisions = this.#health.decisions(query.fromMs, query.toMs)
    const markers: HistoryMarker[] = [
      ...changes.map(({ atMs, actor, request }) => ({ kind: 'change' as const, atMs, actor, request })),
      ...decisions.map(({ atMs, upstream, did, enforced }) => ({
        kind: 'decision' as const,
        ...{ atMs, upstream, did, enforced },
      })),
      ...eventMarkers(settings, query),
    ]
    return { steps: this.#steps(query), markers: markers.sort((a, b) => a.atMs - b.atMs) }
  }

  /** Returns the steps of a time, oldest first. The last step may not have ended. */
  #steps({ fromMs, toMs, stepMs }: HistoryQuery): HistoryStep[] {
    const open = this.#openStep()
    const begunMs = Math.floor(fromMs / stepMs) * stepMs
    const hours = stepMs % HOUR_MS === 0 ? this.#store.steps('hour', begunMs, toMs) : []
    const last = hours.at(-1)
    const minutes = this.#store.steps('minute', last ? last.atMs + HOUR_MS : begunMs, toMs)
    const isOpenIn = open.atMs >= begunMs && open.atMs < toMs && open.atMs !== minutes.at(-1)?.atMs
    return inSteps([...hours, ...minutes, ...(isOpenIn ? [open] : [])], stepMs)
  }

  #openStep(): HistoryStep {
    const { history, totals } = this.#state
    return soFar(history, totals, this.#health.originIn(history.minute))
  }

  #people() {
    return { inside: sums(this.#state).live, waiting: Math.round(waitingTotal(this.#state)) }
  }
}

/** Returns when events began and ended, as far as the settings still have these events. */
function eventMarkers(settings: RoomSettings, { fromMs, toMs }: HistoryQuery): HistoryMarker[] {
  return settings
    .turnsBetween(fromMs - 1, toMs)
    .flatMap(atMs => turnsAt(settings, atMs).map(turn => ({ atMs, kind: 'event' as const, ...turn })))
}
