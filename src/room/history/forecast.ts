/** The forecast of a room: collects what `core` needs to know for it, and why the line may stand still. */
import { type Forecast, forecastOf, type WhyStopped } from '../../core/history/forecast.ts'
import { comingIn, showRate } from '../../core/line/frontier.ts'
import type { AdmissionLimits } from '../../core/permits/bank.ts'
import type { HealthFigures } from '../../core/protocol/health.ts'
import { left, type RoomRules, type RoomState, readyIn, sums, waitingTotal } from '../../core/room/room.ts'
import { MINUTE_MS } from '../../core/timing.ts'
import type { RoomSettings } from '../../settings/compiled/room.ts'

/** A session lasts for `session_duration` and at most a quarter more after the last request. */
const STAY_PER_DURATION = 1.125

/**
 * The circumstances of a forecast. `limits` are the limits for which it is made. Origin health may have lowered them.
 */
interface Foreseen {
  readonly limits: RoomRules
  readonly health: Pick<HealthFigures, 'reason'>
  readonly settings: RoomSettings
  /** The newcomers of the last minute. */
  readonly came: number
  /** How many visitors leave per minute. Null if it is not known. */
  readonly departures: number | null
  readonly nowMs: number
}

export function roomForecast(room: RoomState, foreseen: Foreseen): Forecast {
  const { settings, came, departures, limits, nowMs } = foreseen
  const why = whyStopped(room, foreseen)
  if (why !== null) return { kind: 'stopped', why }
  const { live, outstanding } = sums(room)
  const outlook = {
    waiting: waitingTotal(room),
    coming: comingTo(room, limits, nowMs),
    showRate: shownShare(room),
    inside: live + outstanding,
    arrivalsPerMinute: came,
    stayMs: departures ? (live / departures) * MINUTE_MS : STAY_PER_DURATION * settings.session.sessionMs,
    remaining: left(room),
  }
  return forecastOf(outlook, limits satisfies AdmissionLimits)
}

function whyStopped(room: RoomState, { health, settings, nowMs }: Foreseen): WhyStopped | null {
  if (health.reason === 'outage') return 'outage'
  if (room.events.hold) return 'before-start'
  return settings.at(nowMs).config.queue_all ? 'held' : null
}

/** Returns how many called people are on their way in, over all lanes. */
function comingTo(room: RoomState, limits: RoomRules, nowMs: number): number {
  let coming = 0
  for (const [lane, { state }] of room.lines) coming += comingIn(state.control, readyIn(room, limits, lane, nowMs))
  return coming
}

/** Returns the share of called people who turn up, 0 to 1, over all lanes. */
export function shownShare({ lines }: RoomState): number {
  let called = 0
  let shown = 0
  for (const { state } of lines.values()) {
    const weight = Math.max(1, state.control.called)
    called += weight
    shown += weight * showRate(state.control)
  }
  return shown / called
}
