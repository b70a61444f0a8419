/**
 * Scheduled events of a room: who waits for the start, and when the draw among them is done.
 *
 * From `prequeue_start_time` on newcomers wait for the start; nobody of them is called before. Where the event shuffles, a
 * visitor's ticket is an entry in the event's draw. The seed of a draw is made with the event, and no edge gets it before
 * the start, so nobody can compute a place; from then on it and the sid alone say the place. Those who came before the prequeue
 * stand before all of it, those who come after the start behind.
 */
import { type Batch, KEY_STEP } from './batches.ts'

/** An event as it was scheduled. */
export interface ScheduledEvent {
  readonly name: string
  /** Newcomers wait from then on; null where nobody waits for the start. */
  readonly prequeueMs: number | null
  readonly startMs: number
  readonly endMs: number
  /** Those who wait for the start are drawn. */
  readonly shuffles: boolean
}

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

/** The next start for which newcomers wait, or will wait. */
export interface Prequeue {
  readonly event: string
  /** The draw in which they take part, null where places are by arrival. */
  readonly draw: number | null
  readonly fromMs: number
  readonly startMs: number
}

/** Nobody of this key or a later one is called until then. */
export interface Hold {
  readonly event: string
  readonly fromKey: number
  readonly untilMs: number
  readonly draw: number | null
  /** `waiting` for the start, or `counting` those whose places are known since a moment ago. */
  readonly phase: 'waiting' | 'counting'
}

/** What a room remembers of its events. Plain data, so that it can be stored. */
export interface Events {
  draws: EventDraw[]
  lastDraw: number
  prequeue: Prequeue | null
  hold: Hold | null
}

/** What a room did before it heard of an event. */
export interface Past {
  /** Keys up to here may have been given out by lot. */
  readonly untilKey: number
  /** When it last looked at its line. */
  readonly seenMs: number
  /** Keys up to here have been called. */
  readonly frontierKey: number
}

/** A draw as edges know it: the seed is in it from the start on. */
export interface DrawView {
  readonly id: number
  readonly event: string
  readonly startMs: number
  readonly drawn: { readonly seed: string; readonly fromKey: number } | null
}

/** What edges know of a room's events. */
export interface EventsView {
  readonly prequeue: Prequeue | null
  readonly draws: readonly DrawView[]
  /** An entry in a draw up to this one which is not in the list is worth nothing any more. */
  readonly lastDraw: number
  readonly counting: { readonly fromKey: number; readonly startMs: number; readonly untilMs: number } | null
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
/** Every edge has the seed this long after the start, and its visitors ask for their places over the next seconds. */
export const TOLD_AFTER_MS = 2_000
export const TOLD_OVER_MS = 3_000
/** The room has the counts of a draw this long after it: two syncs behind the last to ask. */
export const COUNTED_AFTER_MS = TOLD_AFTER_MS + TOLD_OVER_MS + 3_000
/** Whose draw was called off hears of it with the next poll, a minute and its jitter away at the most. */
const CALLED_OFF_FOR_MS = 75_000
/** The seed is published this long after the start, when places are called by it. */
export const PUBLISHED_AFTER_MS = 10_000
/** Entries live as long as tickets do: a day behind the last poll. */
const SEED_NEEDED_FOR_MS = 25 * 60 * 60_000
/** A view travels to every edge each second. */
const DRAWS_IN_VIEW = 4
/** Draws are published for as long as there are no more than this: they are written with every report of a door. */
const DRAWS_KEPT = 30

export function newEvents(): Events {
  return { draws: [], lastDraw: 0, prequeue: null, hold: null }
}

/**
 * Takes over what the settings say: each event that shuffles and has not started has a draw, with a seed of its own. The seed stays
 * when the event is changed, or deleted and made again before its start; after the start a new time is a new draw.
 */
export function commit(
  events: Events,
  scheduled: readonly ScheduledEvent[],
  newSeed: () => string,
  nowMs: number,
): void {
  // What is due happens with the next call, whatever the settings have become meanwhile.
  const open = events.draws.filter(draw => draw.drawnMs === null && !(draw.scheduled && draw.startMs <= nowMs))
  for (const draw of open) draw.scheduled = false
  for (const { name, startMs, shuffles } of scheduled) {
    if (!shuffles || startMs <= nowMs) continue
    const draw = open.find(({ event }) => event === name) ?? newDraw(events, name, newSeed())
    draw.startMs = startMs
    draw.scheduled = true
  }
  const surplus = events.draws.length - DRAWS_KEPT
  if (surplus > 0) {
    const old = events.draws.filter(draw => !draw.scheduled).slice(0, surplus)
    events.draws = events.draws.filter(draw => !old.includes(draw))
  }
}

/**
 * Lets time pass: starts what is to start, once. `event` is the one that is on, or the next one.
 */
export function followEvents(events: Events, event: ScheduledEvent | null, past: Past, nowMs: number): void {
  const before = events.hold
  events.prequeue = prequeueOf(events, event, past, nowMs)
  for (const draw of events.draws) {
    if (draw.scheduled && draw.drawnMs === null && draw.startMs <= nowMs) fire(draw, before, nowMs)
  }
  events.hold = holdOf(events, before, past, nowMs)
}

/** Up to here people may be called, of those whose places are settled. */
export function callableKey({ hold }: Events, settledKey: number): number {
  return hold ? Math.min(settledKey, hold.fromKey - KEY_STEP) : settledKey
}

/** Up to here places are known, of those that are settled: before a start without a draw they are, and nobody is called. */
export function knownKey({ hold }: Events, settledKey: number): number {
  return hold && (hold.phase === 'counting' || hold.draw !== null)
    ? Math.min(settledKey, hold.fromKey - KEY_STEP)
    : settledKey
}

/** Counts people who wait for a draw; they are counted in line once they have a place. */
export function enter(events: Events, id: number, people: number): void {
  const draw = events.draws.find(other => other.id === id)
  if (draw) draw.entries += people
}

/** Changes when a start, or the wait for it, begins or ends. */
export function turnOf({ draws, hold }: Events): string {
  return `${hold?.event} ${hold?.phase} ${draws.filter(({ drawnMs }) => drawnMs !== null).length}`
}

/** Null where there is nothing to know: most rooms have no events. */
export function eventsView({ draws, lastDraw, prequeue, hold }: Events, nowMs: number): EventsView | null {
  if (!prequeue && !hold && lastDraw === 0) return null
  const coming = draws.filter(draw => draw.scheduled && draw.drawnMs === null)
  const done = draws.filter(({ drawnMs }) => drawnMs !== null && nowMs - drawnMs < SEED_NEEDED_FOR_MS)
  const soonest = coming.toSorted((a, b) => a.startMs - b.startMs).slice(0, DRAWS_IN_VIEW)
  const latest = done.toSorted((a, b) => b.startMs - a.startMs).slice(0, DRAWS_IN_VIEW)
  const counted = hold?.phase === 'counting' ? done.find(({ id }) => id === hold.draw) : undefined
  return {
    prequeue,
    lastDraw,
    draws: [...soonest, ...latest].map(draw => ({
      id: draw.id,
      event: draw.event,
      startMs: draw.startMs,
      drawn: draw.drawnMs === null ? null : { seed: draw.seed, fromKey: draw.fromKey },
    })),
    counting: hold && counted ? { fromKey: hold.fromKey, startMs: counted.startMs, untilMs: hold.untilMs } : null,
  }
}

/** The start that a newcomer of this moment waits for. An edge whose clock is behind hears of the start from the draw. */
export function prequeueAt(view: EventsView | null | undefined, nowMs: number): Prequeue | null {
  const prequeue = view?.prequeue
  if (!prequeue || nowMs < prequeue.fromMs || nowMs >= prequeue.startMs) return null
  const isDrawn = view.draws.some(({ id, drawn }) => id === prequeue.draw && drawn !== null)
  return isDrawn ? null : prequeue
}

export function fateOf(draw: number, view: EventsView | null | undefined): EntryFate {
  const known = view?.draws.find(({ id }) => id === draw)
  if (known?.drawn) {
    const { seed, fromKey } = known.drawn
    return { fate: 'drawn', seed, batch: { fromKey, untilMs: known.startMs } }
  }
  if (known) return { fate: 'waits', startMs: known.startMs }
  // An entry in a draw that this edge has not heard of may be younger than its view.
  return view && draw <= view.lastDraw ? { fate: 'void' } : { fate: 'waits', startMs: 0 }
}

function newDraw(events: Events, event: string, seed: string): EventDraw {
  events.lastDraw++
  const draw = { id: events.lastDraw, event, seed, startMs: 0, fromKey: 0, scheduled: true, drawnMs: null, entries: 0 }
  events.draws.push(draw)
  return draw
}

/** A prequeue that has begun goes on; one that is heard of late begins behind everybody whom the room has seen. */
function prequeueOf(
  { prequeue, draws }: Events,
  event: ScheduledEvent | null,
  { seenMs }: Past,
  nowMs: number,
): Prequeue | null {
  if (!event || event.prequeueMs === null || nowMs >= event.startMs) return null
  const { name, prequeueMs, startMs } = event
  const isOn = prequeue?.event === name && prequeue.fromMs <= nowMs && prequeueMs <= nowMs
  const draw = event.shuffles
    ? draws.find(other => other.event === name && other.scheduled && other.drawnMs === null)
    : undefined
  return { event: name, draw: draw?.id ?? null, fromMs: isOn ? prequeue.fromMs : Math.max(prequeueMs, seenMs), startMs }
}

function fire(draw: EventDraw, hold: Hold | null, nowMs: number): void {
  draw.drawnMs = nowMs
  const earliest = Math.max(draw.startMs - DRAWN_OVER_MS, hold?.draw === draw.id ? hold.fromKey : 0)
  draw.fromKey = Math.min(earliest, draw.startMs - 1_000)
}

/** The room may have slept, or the edges, through the start: then the counts come in from when it woke. */
function countedMs(startMs: number, drawnMs: number): number {
  return Math.max(startMs + COUNTED_AFTER_MS, drawnMs + COUNTED_AFTER_MS - TOLD_AFTER_MS)
}

function holdOf(
  { prequeue, draws }: Events,
  hold: Hold | null,
  { untilKey, frontierKey }: Past,
  nowMs: number,
): Hold | null {
  if (prequeue && prequeue.fromMs <= nowMs) {
    const { event, draw, fromMs, startMs } = prequeue
    const goesOn = hold?.phase === 'waiting' && hold.event === event
    const behind = Math.max(fromMs, Math.min(untilKey, startMs - DRAWN_OVER_MS), Math.floor(frontierKey) + 1)
    return { event, draw, phase: 'waiting', untilMs: startMs, fromKey: goesOn ? hold.fromKey : behind }
  }
  if (hold?.phase === 'waiting') {
    if (hold.draw === null) return null
    const drawnMs = draws.find(({ id }) => id === hold.draw)?.drawnMs ?? null
    const untilMs = drawnMs === null ? nowMs + CALLED_OFF_FOR_MS : countedMs(hold.untilMs, drawnMs)
    return { ...hold, phase: 'counting', untilMs }
  }
  return hold && nowMs < hold.untilMs ? hold : null
}
