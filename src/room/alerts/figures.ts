/** The figures by which alerts are judged, computed from the stats for operators. */
import type { AlertFigures } from '../../core/alerts/rules.ts'
import type { RoomStats } from '../../core/protocol/calls.ts'

export function alertFigures(stats: RoomStats, silentDoors: number, tokenEndsInMs: number | null): AlertFigures {
  return {
    waiting: stats.waiting,
    waitMs: stats.waitMs,
    admittedLastMinute: stats.admittedLastMinute,
    ratePerMinute: stats.held ? 0 : stats.effectiveRatePerMinute,
    freePlaces: stats.totalActiveUsers - stats.active - stats.permitsOut,
    remaining: stats.remaining,
    origin: stats.health.state,
    openBreakers: stats.health.upstreams.filter(({ breaker }) => breaker === 'open').length,
    tokenEndsInMs,
    silentDoors,
  }
}
