/** Rooms as the admin API answers them, for tests of the rehearsal. */
import { type HistoryStep, unpacked } from '../../src/core/history/history.ts'
import type { Question, Rehearsal, Typed } from '../../src/rehearsal/rehearse.ts'
import { rehearse } from '../../src/rehearsal/rehearse.ts'
import type { SeenRoom } from '../../src/rehearsal/seen.ts'

export const NOON_MS = Date.parse('2026-11-27T12:00:00Z')
export const MINUTE = 60_000

const SETTINGS: SeenRoom['settings'] = {
  mode: 'enforce',
  suspended: false,
  queue_all: false,
  queueing_method: 'fifo',
  new_users_per_minute: 120,
  total_active_users: 10_000,
  session_duration: 5,
}
/** 1,200 people wait for a room that lets 120 a minute in, and 60 a minute still come. */
const FIGURES: SeenRoom['figures'] = {
  active: 600,
  permitsOut: 0,
  permitsBanked: 0,
  burst: 10,
  remaining: null,
  waiting: 1_200,
  entries: 0,
  standing: 4,
  admittedLastMinute: 120,
  cameLastMinute: 60,
  effectiveRatePerMinute: 120,
  totalActiveUsers: 10_000,
  open: false,
  showRate: 1,
  health: { reason: null },
}

interface Different {
  readonly settings?: Partial<SeenRoom['settings']>
  readonly figures?: Partial<SeenRoom['figures']>
  readonly events?: SeenRoom['events']
}

export function seenRoom({ settings, figures, events = [] }: Different = {}): SeenRoom {
  return {
    now: new Date(NOON_MS).toISOString(),
    settings: { ...SETTINGS, ...settings },
    figures: { ...FIGURES, ...figures },
    events,
  }
}

/** An hour in which 120 a minute came in and stayed for five minutes. */
const MINUTES: HistoryStep[] = Array.from({ length: 60 }, (_, nth) => ({
  ...unpacked(NOON_MS - (60 - nth) * MINUTE, {}),
  ...{ admitted: 120, inside: 600 },
}))

type Drawn = Extract<Rehearsal, { kind: 'drawn' }>

export function drawn(question: Partial<Question>): Drawn {
  const answer = rehearse({ room: seenRoom(), minutes: MINUTES, typed: {}, which: 'typed', ...question })
  if (answer.kind !== 'drawn') throw new Error(`nothing was drawn: ${answer.why}`)
  return answer
}

/** Returns both futures of a room: as it is, and as typed. */
export function both(typed: Typed, room = seenRoom()): [Drawn, Drawn] {
  return [drawn({ room, typed, which: 'as-is' }), drawn({ room, typed, which: 'typed' })]
}

/** Returns when the line is empty, in minutes from the beginning, to a tenth. */
export function emptyAfter({ future, fromMs }: Drawn): number | null {
  return future.emptyAtMs === null ? null : Math.round((10 * (future.emptyAtMs - fromMs)) / MINUTE) / 10
}

/** Returns the moment `minutes` after the beginning. */
export function momentAt({ future, fromMs }: Drawn, minutes: number) {
  const found = future.moments.find(({ atMs }) => atMs >= fromMs + minutes * MINUTE)
  if (!found) throw new Error(`nothing is drawn after ${minutes} minutes`)
  return found
}
