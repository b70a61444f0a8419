/** The stats of a room, for operators. */
import type { Advice } from '../core/history/advice.ts'
import type { Forecast } from '../core/history/forecast.ts'
import type { Flow } from '../core/history/last-minute.ts'
import { showRate } from '../core/line/frontier.ts'
import { waiting } from '../core/line/line.ts'
import { outstanding } from '../core/permits/bank.ts'
import { admittedInMain, shareOf } from '../core/permits/lanes.ts'
import { newcomersWait } from '../core/place/newcomer.ts'
import type { RoomStats } from '../core/protocol/calls.ts'
import type { HealthFigures } from '../core/protocol/health.ts'
import * as core from '../core/room/room.ts'
import { answerTotals, limitStats, otherTotals, verdictTotals } from '../core/room/totals.ts'
import { MAIN_LANE } from '../core/ticket.ts'
import type { RoomSettings } from '../settings/compiled/room.ts'

export function roomStats(
  state: core.RoomState,
  settings: RoomSettings,
  now: {
    readonly rules: core.RoomRules
    readonly health: HealthFigures
    readonly lastMinute: Flow
    readonly forecast: Forecast
    readonly advice: readonly Advice[]
  },
  nowMs: number,
): RoomStats {
  const { live, outstanding: unspent } = core.sums(state)
  const line = state.lines.get(MAIN_LANE)
  const { rules, health, lastMinute, forecast, advice } = now
  const wait = state.snapshot ? newcomersWait(state.snapshot, rules.claimWindowMs, nowMs) : null
  return {
    active: live,
    permitsOut: unspent,
    permitsBanked: core.available(state, rules),
    remaining: core.left(state),
    waiting: Math.round(core.waitingTotal(state)),
    entries: state.events.draws.find(({ id }) => id === state.events.hold?.draw)?.entries ?? 0,
    standing: core.readyCount(state, nowMs),
    limits: limitStats(state.totals, policyNames(settings)),
    verdicts: verdictTotals(state.totals),
    answers: answerTotals(state.totals),
    totals: otherTotals(state.totals),
    admittedLastMinute: lastMinute.admitted,
    cameLastMinute: lastMinute.came,
    effectiveRatePerMinute: rules.ratePerMinute,
    totalActiveUsers: rules.totalActiveUsers,
    burst: core.burst(rules),
    open: state.open,
    held: state.snapshot?.held ?? rules.ratePerMinute <= 0,
    sinceMs: state.phase.sinceMs,
    waitMs: wait?.likelyMs ?? null,
    waitRangeMs: wait ? { low: wait.lowMs, high: wait.highMs } : null,
    forecast,
    advice,
    health,
    showRate: line ? showRate(line.state.control) : 1,
    lanes: laneStats(state, settings, nowMs),
    doors: [...state.doors].map(([name, door]) => ({
      name,
      active: door.live,
      permitsOut: outstanding(door),
      standing: door.demand.reduce((sum, demand) => sum + demand.ready, 0),
      admitted: door.spent,
      callsPerSecond: door.callsPerSecond ?? 0,
      heardMsAgo: nowMs - door.reportedAtMs,
    })),
  }
}

/** Returns the main lane and each lane of the settings, or nothing for a room without lanes. */
function laneStats(state: core.RoomState, { admission }: RoomSettings, nowMs: number): RoomStats['lanes'] {
  const { lanes = [] } = admission
  const admitted = (lane: string) => state.totals[`admitted/${lane}`] ?? 0
  const names = lanes.length === 0 ? [] : [MAIN_LANE, ...lanes.map(({ name }) => name)]
  return names.map(name => {
    const line = state.lines.get(name)
    return {
      name,
      share: Math.round(shareOf(lanes, name) * 1_000) / 1_000,
      waiting: line ? Math.round(waiting(line)) : 0,
      standing: core.readyIn(state, admission, name, nowMs),
      admitted: name === MAIN_LANE ? admittedInMain(state.totals) : Math.max(0, admitted(name)),
    }
  })
}

export function policyNames({ config }: RoomSettings): readonly string[] {
  return config.rate_limits.map(({ name }) => name)
}
