/**
 * The draws of a room's events. A seed is made with its event and leaves the room with the start, so nobody can compute a place
 * before; from then on the seed and the sid alone say the place.
 */
import type { Batch } from '../ticket.ts'
import type { ScheduledEvent } from './schedule.ts'

/** A draw as the room keeps it. Ids rise, and are never used again. */
export interface EventDraw {
  readonly id: number
  readonly event: string
  /** Secret until the start. */
  readonly seed: string
  startMs: number
  /** Drawn places lie between this key and the start. Known once drawn. */
  fromKey: number
  /** False once the event was deleted, suspended, or does not shuffle any more. */
  scheduled: boolean
  /** When the room first knew that the event has started; nothing of the seed leaves it before. */
  drawnMs: number | null
  /** Visitors who came back while they waited for the start. */
  entries: number
}

/** What a room remembers of its draws. Plain data, so that it can be stored. */
export interface Draws {
  draws: EventDraw[]
  lastDraw: number
}

/** A draw as edges know it: the seed is in it from the start on. */
export interface DrawView {
  readonly id: number
  readonly event: string
  readonly startMs: number
  readonly drawn: { readonly seed: string; readonly fromKey: number } | null
}

/** What edges know of a room's draws. */
export interface DrawsView {
  readonly draws: readonly DrawView[]
  /** An entry in a draw up to this one which is not in the list is worth nothing any more. */
  readonly lastDraw: number
}

/** What becomes of an entry: it waits for the start, has a place, or stands by its arrival, for its draw was called off. */
export type EntryFate =
  | { readonly fate: 'waits'; readonly startMs: number }
  | { readonly fate: 'drawn'; readonly seed: string; readonly batch: Batch }
  | { readonly fate: 'void' }

/**
 * Drawn places lie in the last minute before the start: sixty million places, few enough rows to store at once, and
 * behind every window of a random room that was drawn before.
 */
export const DRAWN_OVER_MS = 60_000
/** Those who are not drawn stand among the newcomers of so long after the start. */
const UNDRAWN_OVER_MS = 3_000
/** The seed is published this long after the start, when places are called by it. */
export const PUBLISHED_AFTER_MS = 10_000
/** Entries live as long as tickets do: a day behind the last poll. */
const SEED_NEEDED_FOR_MS = 25 * 60 * 60_000
/** A view travels to every edge each second. */
const DRAWS_IN_VIEW = 4
/** Draws are published for as long as there are no more than this: they are written with every report of a door. */
const DRAWS_KEPT = 30

/**
 * Takes over what the settings say: each event that shuffles and has not started has a draw, with a seed of its own. The seed stays
 * when the event is changed, or deleted and made again before its start; after the start a new time is a new draw.
 */
export function commit(
  events: Draws,
  scheduled: readonly ScheduledEvent[],
  newSeed: () => string,
  nowMs: number,
): void {
  // What is due happens with the next call, whatever the settings have become meanwhile.
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

/** Nobody needs its seed any more. */
function isOver({ drawnMs }: EventDraw, nowMs: number): boolean {
  return drawnMs !== null && nowMs - drawnMs >= SEED_NEEDED_FOR_MS
}

export function isDue({ scheduled, drawnMs, startMs }: EventDraw, nowMs: number): boolean {
  return scheduled && drawnMs === null && startMs <= nowMs
}

/** Draws: places lie behind everybody who came before, which is `behindKey`. */
export function fire(draw: EventDraw, behindKey: number, nowMs: number): void {
  draw.drawnMs = nowMs
  const earliest = Math.max(draw.startMs - DRAWN_OVER_MS, behindKey)
  draw.fromKey = Math.min(earliest, draw.startMs - 1_000)
}

/** Counts people who wait for a draw; they are counted in line once they have a place. */
export function enter(events: Draws, id: number, people: number): void {
  const draw = events.draws.find(other => other.id === id)
  if (draw) draw.entries += people
}

/** The soonest draws, and the latest that are done. */
export function drawsView({ draws, lastDraw }: Draws, nowMs: number): DrawsView {
  const coming = draws.filter(draw => draw.scheduled && draw.drawnMs === null)
  const done = draws.filter(draw => draw.drawnMs !== null && !isOver(draw, nowMs))
  const soonest = coming.toSorted((a, b) => a.startMs - b.startMs).slice(0, DRAWS_IN_VIEW)
  const latest = done.toSorted((a, b) => b.startMs - a.startMs).slice(0, DRAWS_IN_VIEW)
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
 * The place of an entry that is not drawn: behind the whole draw, in the order of arrival. Most came in the last seconds before the start, and those of an
 * hour are among the first. Each has a place of its own, or all of them would be called at once.
 */
export function undrawnKey(arrivalMs: number, startMs: number): number {
  return startMs + UNDRAWN_OVER_MS ** 2 / (UNDRAWN_OVER_MS + Math.max(0, startMs - arrivalMs))
}

export function fateOf(draw: number, view: DrawsView | null | undefined): EntryFate {
  const known = view?.draws.find(({ id }) => id === draw)
  if (known?.drawn) {
    const { seed, fromKey } = known.drawn
    return { fate: 'drawn', seed, batch: { fromKey, untilMs: known.startMs } }
  }
  if (known) return { fate: 'waits', startMs: known.startMs }
  // An entry in a draw that this edge has not heard of may be younger than its view.
  return view && draw <= view.lastDraw ? { fate: 'void' } : { fate: 'waits', startMs: 0 }
}

function newDraw(events: Draws, event: string, seed: string): EventDraw {
  events.lastDraw++
  const draw = { id: events.lastDraw, event, seed, startMs: 0, fromKey: 0, scheduled: true, drawnMs: null, entries: 0 }
  events.draws.push(draw)
  return draw
}
