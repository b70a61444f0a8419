/** The advice to the operator of a room: collects what `core` needs to know for it. */
import { type Advice, adviceFor } from '../../core/history/advice.ts'
import type { Forecast } from '../../core/history/forecast.ts'
import { type HistoryStep, inSteps } from '../../core/history/history.ts'
import type { AdmissionLimits } from '../../core/permits/bank.ts'
import type { HealthFigures } from '../../core/protocol/health.ts'
import { left, type RoomState, sums, waitingTotal } from '../../core/room/room.ts'
import { MINUTE_MS } from '../../core/timing.ts'
import type { RoomSettings } from '../../settings/compiled/room.ts'
import { shownShare } from './forecast.ts'

/** `minutes` are the last minutes, oldest first. `limits` are the limits in force. */
interface Seen {
  readonly forecast: Forecast
  readonly minutes: readonly HistoryStep[]
  readonly limits: AdmissionLimits
  readonly health: HealthFigures
}

export function roomAdvice(room: RoomState, seen: Seen, settings: RoomSettings, nowMs: number): readonly Advice[] {
  const { forecast, minutes, limits, health } = seen
  const [first] = minutes
  // A step as long as this contains all minutes.
  const [lately] = inSteps(minutes, Number.MAX_SAFE_INTEGER)
  if (!first || !lately) return []
  return adviceFor({
    forecast,
    lately,
    minutes: Math.max(1, (nowMs - first.atMs) / MINUTE_MS),
    waiting: waitingTotal(room),
    inside: sums(room).live,
    showRate: shownShare(room),
    remaining: left(room),
    rate: limits.ratePerMinute,
    places: limits.totalActiveUsers,
    sessionMinutes: settings.at(nowMs).config.session_duration,
    health,
  })
}
