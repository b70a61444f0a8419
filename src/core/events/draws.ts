/**
 * The draws of a room's events. A seed is made together with its draw, and leaves the room only at the start. So no
 * visitor can compute a place before the start. From then on the seed and the sid alone determine the place.
 */
import type { Batch } from '../ticket.ts'
import type { ScheduledEvent } from './schedule.ts'

/** A draw in the room's state. Ids rise, and are never used again. */
export interface EventDraw {
  readonly id: number
  readonly event: string
  /** The seed is secret until the start. */
  readonly seed: string
  startMs: number
  /** Drawn places lie between this key and the start. It is set when the draw takes place. */
  fromKey: number
  /** False once the event is deleted, suspended, or no longer shuffles. */
  scheduled: boolean
  /** When the draw took place, null before. The seed stays secret until then. */
  drawnMs: number | null
  /** The number of visitors who came back while they were waiting for the start. */
  entries: number
}

/** A room's draws, as plain data that can be stored. */
export interface EventDraws {
  draws: EventDraw[]
  lastDraw: number
}

/** A draw as edges see it. It contains the seed from the start on. */
interface DrawSnapshot {
  readonly id: number
  readonly event: string
  readonly startMs: number
  readonly drawn: { readonly seed: string; readonly fromKey: number } | null
}

/** A room's draws as edges see them. */
export interface DrawsSnapshot {
  readonly draws: readonly DrawSnapshot[]
  /**
   * The highest id so far. An entry is void if the id of its draw is not above this one, and `draws` lacks that draw.
   */
  readonly lastDraw: number
}

/**
 * The state of an entry. `waits`: it waits for the start. `drawn`: it has a place. `void`: its draw was called off, so
 * its place is by arrival.
 */
export type EntryFate =
  | { readonly fate: 'waits'; readonly startMs: number }
  | { readonly fate: 'drawn'; readonly seed: string; readonly batch: Batch }
  | { readonly fate: 'void' }

/**
 * Drawn places lie in the last 60 s before the start. They have sixty million possible keys, in few enough rows to
 * store at once. They usually lie behind the batches that a random room drew before.
 */
export const DRAWN_OVER_MS = 60_000
/** An entry that is not drawn gets a key within this time after the start, among the newcomers of that time. */
const UNDRAWN_OVER_MS = 3_000
/** The seed is published this long after the start, when places are being called by it. */
export const PUBLISHED_AFTER_MS = 10_000
/** The seed is needed as long as an entry can be valid: tickets are valid for a day after the last poll. */
const SEED_NEEDED_FOR_MS = 25 * 60 * 60_000
/** The most future draws in a snapshot, and the most past ones. A snapshot travels to every edge each second. */
const DRAWS_IN_SNAPSHOT = 4
/** The most draws that are stored and published. They are stored with every report of a door, so they must stay few. */
const DRAWS_KEPT = 30

/**
 * Applies the settings. Each event that shuffles and has not started gets a draw with a seed of its own. The draw keeps
 * its seed when the event is changed, or deleted and made again before its start. After the start, a new start time
 * makes a new draw.
 */
export function commit(
  events: EventDraws,
  scheduled: readonly ScheduledEvent[],
  newSeed: () => string,
  nowMs: number,
): void {
  // A draw that is due takes place at the next tick, even if the settings have changed by now.
  const open = events.draws.filter(draw => draw.drawnMs === null && !isDue(draw, nowMs))
  for (const draw of open) draw.scheduled = false
  for (const { name, startMs, shuffles } of scheduled) {
    if (!shuffles || startMs <= nowMs) continue
    const draw = open.find(({ event }) => event === name) ?? newDraw(events, name, newSeed())
    draw.startMs = startMs
    draw.scheduled = true
  }
  const surplus = events.draws.length - DRAWS_KEPT
  if (surplus > 0) {
    const done = events.draws.filter(draw => !draw.scheduled || draw.drawnMs !== null)
    const old = done.toSorted((a, b) => Number(isOver(b, nowMs)) - Number(isOver(a, nowMs))).slice(0, surplus)
    events.draws = events.draws.filter(draw => !old.includes(draw))
  }
}

/** True once no entry needs the seed any more. */
function isOver({ drawnMs }: EventDraw, nowMs: number): boolean {
  return drawnMs !== null && nowMs - drawnMs >= SEED_NEEDED_FOR_MS
}

export function isDue({ scheduled, drawnMs, startMs }: EventDraw, nowMs: number): boolean {
  return scheduled && drawnMs === null && startMs <= nowMs
}

/**
 * Carries out a draw. Drawn places lie behind `behindKey`, where earlier visitors stand. If less than one second of
 * keys would remain before the start, they lie in the last second before it.
 */
export function fire(draw: EventDraw, behindKey: number, nowMs: number): void {
  draw.drawnMs = nowMs
  const earliest = Math.max(draw.startMs - DRAWN_OVER_MS, behindKey)
  draw.fromKey = Math.min(earliest, draw.startMs - 1_000)
}

/** Counts people who wait for a draw. They count as waiting in line once they have a place. */
export function enter(events: EventDraws, id: number, people: number): void {
  const draw = events.draws.find(other => other.id === id)
  if (draw) draw.entries += people
}

/** Returns the next coming draws, and the latest draws that took place. */
export function drawsSnapshot({ draws, lastDraw }: EventDraws, nowMs: number): DrawsSnapshot {
  const coming = draws.filter(draw => draw.scheduled && draw.drawnMs === null)
  const done = draws.filter(draw => draw.drawnMs !== null && !isOver(draw, nowMs))
  const soonest = coming.toSorted((a, b) => a.startMs - b.startMs).slice(0, DRAWS_IN_SNAPSHOT)
  const latest = done.toSorted((a, b) => b.startMs - a.startMs).slice(0, DRAWS_IN_SNAPSHOT)
  return {
    lastDraw,
    draws: [...soonest, ...latest].map(draw => ({
      id: draw.id,
      event: draw.event,
      startMs: draw.startMs,
      drawn: draw.drawnMs === null ? null : { seed: draw.seed, fromKey: draw.fromKey },
    })),
  }
}

/**
 * Returns the key of an entry that was not drawn. The key is behind the whole draw, in the order of arrival. Most such
 * entries arrive in the last seconds before the start; entries that came an hour earlier are among the first. Each
 * arrival has a different key, or all of them would be called at once.
 */
export function undrawnKey(arrivalMs: number, startMs: number): number {
  return startMs + UNDRAWN_OVER_MS ** 2 / (UNDRAWN_OVER_MS + Math.max(0, startMs - arrivalMs))
}

export function fateOf(draw: number, snapshot: DrawsSnapshot | null | undefined): EntryFate {
  const known = snapshot?.draws.find(({ id }) => id === draw)
  if (known?.drawn) {
    const { seed, fromKey } = known.drawn
    return { fate: 'drawn', seed, batch: { fromKey, untilMs: known.startMs } }
  }
  if (known) return { fate: 'waits', startMs: known.startMs }
  // If the draw is newer than this edge's snapshot, the snapshot cannot contain it yet.
  return snapshot && draw <= snapshot.lastDraw ? { fate: 'void' } : { fate: 'waits', startMs: 0 }
}

function newDraw(events: EventDraws, event: string, seed: string): EventDraw {
  events.lastDraw++
  const draw = { id: events.lastDraw, event, seed, startMs: 0, fromKey: 0, scheduled: true, drawnMs: null, entries: 0 }
  events.draws.push(draw)
  return draw
}
