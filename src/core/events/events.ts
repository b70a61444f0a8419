/**
 * Scheduled events of a room: who waits for the start, and until when the line is held for them.
 *
 * From `prequeue_start_time` on newcomers wait for the start; nobody of them is called before. Where the event shuffles, a
 * visitor's ticket is an entry in its draw. Those who came before the prequeue stand before all of it, those who come after
 * the start behind.
 */
import { KEY_STEP } from '../line/batches.ts'
import { DRAWN_OVER_MS, type Draws, type DrawsView, drawsView, fire, isDue } from './draws.ts'
import type { ScheduledEvent } from './schedule.ts'

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
export interface Events extends Draws {
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

/** What edges know of a room's events. */
export interface EventsView extends DrawsView {
  readonly prequeue: Prequeue | null
  /** Those who were drawn a moment ago are being counted. */
  readonly counting: { readonly fromKey: number; readonly startMs: number; readonly untilMs: number } | null
}

/** Every edge has the seed this long after the start, and its visitors ask for their places over the next seconds. */
export const TOLD_AFTER_MS = 2_000
export const TOLD_OVER_MS = 3_000
/** The room has the counts of a draw this long after it: two syncs behind the last to ask. */
export const COUNTED_AFTER_MS = TOLD_AFTER_MS + TOLD_OVER_MS + 3_000
/** Whose draw was called off hears of it with the next poll, a minute and its jitter away at the most. */
const CALLED_OFF_FOR_MS = 75_000

export function newEvents(): Events {
  return { draws: [], lastDraw: 0, prequeue: null, hold: null }
}

/** Lets time pass: starts what is to start, once. `event` is the one that is on, or the next one. */
export function followEvents(events: Events, event: ScheduledEvent | null, past: Past, nowMs: number): void {
  const before = events.hold
  events.prequeue = prequeueOf(events, event, past, nowMs)
  for (const draw of events.draws) {
    if (isDue(draw, nowMs)) fire(draw, before?.draw === draw.id ? before.fromKey : 0, nowMs)
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

/** Changes when a start, or the wait for it, begins or ends. */
export function turnOf({ draws, hold }: Events): string {
  return `${hold?.event} ${hold?.phase} ${draws.filter(({ drawnMs }) => drawnMs !== null).length}`
}

/** Null where there is nothing to know: most rooms have no events. */
export function eventsView(events: Events, nowMs: number): EventsView | null {
  const { draws, lastDraw, prequeue, hold } = events
  if (!prequeue && !hold && lastDraw === 0) return null
  const isCounting = hold?.phase === 'counting'
  const counted = isCounting ? draws.find(({ id, drawnMs }) => id === hold.draw && drawnMs !== null) : undefined
  return {
    prequeue,
    ...drawsView(events, nowMs),
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
