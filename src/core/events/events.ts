/**
 * Scheduled events of a room: which newcomers wait for the start, and until when the line is held for them.
 *
 * From `prequeue_start_time` on newcomers wait for the start, and none of them is called before. If the event shuffles,
 * a newcomer's ticket is an entry in its draw. Visitors who came before the prequeue stand ahead of the whole prequeue.
 * Visitors who come after the start stand behind it.
 */
import { KEY_STEP } from '../line/batches.ts'
import { IN_FORCE_WITHIN_MS } from '../timing.ts'
import { DRAWN_OVER_MS, type DrawsSnapshot, drawsSnapshot, type EventDraws, fire, isDue } from './draws.ts'
import type { ScheduledEvent } from './schedule.ts'

/** The next start for which newcomers wait, or will wait. */
export interface Prequeue {
  readonly event: string
  /** The draw in which these newcomers take part, null where places are given by arrival. */
  readonly draw: number | null
  readonly fromMs: number
  readonly startMs: number
}

/** A hold: no ticket with the key `fromKey` or a later one is called before `untilMs`. */
export interface Hold {
  readonly event: string
  readonly fromKey: number
  readonly untilMs: number
  readonly draw: number | null
  /**
   * `waiting`: visitors wait for the start. `counting`: the places of a draw are known, and the room still counts its
   * tickets.
   */
  readonly phase: 'waiting' | 'counting'
}

/** A room's events, as plain data that can be stored. */
export interface Events extends EventDraws {
  prequeue: Prequeue | null
  hold: Hold | null
}

/** The room's progress so far. */
export interface Past {
  /** Keys up to this one may have been given out by a draw. */
  readonly untilKey: number
  /** When the room last processed its line. */
  readonly seenMs: number
  /** Keys up to this one have been called. */
  readonly frontierKey: number
}

/** A room's events as edges see them. */
export interface EventsSnapshot extends DrawsSnapshot {
  readonly prequeue: Prequeue | null
  /** The tickets of a draw that the room is counting now, by their keys. */
  readonly counting: { readonly fromKey: number; readonly startMs: number; readonly untilMs: number } | null
}

/**
 * Every edge has the seed this long after the start. From then on the visitors of an edge ask for their places, spread
 * over `START_POLLED_OVER_MS`.
 */
export const START_KNOWN_AFTER_MS = IN_FORCE_WITHIN_MS
export const START_POLLED_OVER_MS = 3_000
/** The room has all counts of a draw this long after the start: two syncs after the last visitor has asked. */
export const COUNTED_AFTER_MS = START_KNOWN_AFTER_MS + START_POLLED_OVER_MS + 3_000
/**
 * The line is held for this long after a draw was called off. By then every visitor has learnt of it with a poll, which
 * is at most 72 s away: 60 s and the jitter.
 */
const CALLED_OFF_FOR_MS = 75_000

export function newEvents(): Events {
  return { draws: [], lastDraw: 0, prequeue: null, hold: null }
}

/** Advances to `nowMs`, and starts whatever is due, once. `event` is the current event or the next one. */
export function followEvents(events: Events, event: ScheduledEvent | null, past: Past, nowMs: number): void {
  const before = events.hold
  events.prequeue = prequeueOf(events, event, past, nowMs)
  for (const draw of events.draws) {
    if (isDue(draw, nowMs)) fire(draw, before?.draw === draw.id ? before.fromKey : 0, nowMs)
  }
  events.hold = holdOf(events, before, past, nowMs)
}

/** Returns the last key up to which people may be called, `settledKey` at most. */
export function callableKey({ hold }: Events, settledKey: number): number {
  return hold ? Math.min(settledKey, hold.fromKey - KEY_STEP) : settledKey
}

/**
 * Returns the last key whose place is known, `settledKey` at most. While a draw is pending or being counted, places
 * behind its hold are unknown. Before a start without a draw, places are known, although none of them is called.
 */
export function knownKey({ hold }: Events, settledKey: number): number {
  return hold && (hold.phase === 'counting' || hold.draw !== null)
    ? Math.min(settledKey, hold.fromKey - KEY_STEP)
    : settledKey
}

/** Returns a text that changes when a start, or the wait for it, begins or ends. */
export function turnOf({ draws, hold }: Events): string {
  return `${hold?.event} ${hold?.phase} ${draws.filter(({ drawnMs }) => drawnMs !== null).length}`
}

/** Returns the events as edges need them, or null for a room without events. */
export function eventsSnapshot(events: Events, nowMs: number): EventsSnapshot | null {
  const { draws, lastDraw, prequeue, hold } = events
  if (!prequeue && !hold && lastDraw === 0) return null
  const isCounting = hold?.phase === 'counting'
  const counted = isCounting ? draws.find(({ id, drawnMs }) => id === hold.draw && drawnMs !== null) : undefined
  return {
    prequeue,
    ...drawsSnapshot(events, nowMs),
    counting: hold && counted ? { fromKey: hold.fromKey, startMs: counted.startMs, untilMs: hold.untilMs } : null,
  }
}

/**
 * Returns the start for which a newcomer at `nowMs` waits, or null. Once the draw of that start has taken place, the
 * start is over, even if the clock of this edge is slow.
 */
export function prequeueAt(snapshot: EventsSnapshot | null | undefined, nowMs: number): Prequeue | null {
  const prequeue = snapshot?.prequeue
  if (!prequeue || nowMs < prequeue.fromMs || nowMs >= prequeue.startMs) return null
  const isDrawn = snapshot.draws.some(({ id, drawn }) => id === prequeue.draw && drawn !== null)
  return isDrawn ? null : prequeue
}

/**
 * A prequeue that has begun goes on. If the settings let a prequeue begin in the past, it begins behind every visitor
 * whom the room has already processed.
 */
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

/**
 * Returns when the counts of a draw are complete. If the room or its edges slept through the start, the counts arrive
 * only after the draw.
 */
function countedMs(startMs: number, drawnMs: number): number {
  return Math.max(startMs + COUNTED_AFTER_MS, drawnMs + COUNTED_AFTER_MS - START_KNOWN_AFTER_MS)
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
