/**
 * Answers the question "what if". From the present room it plays two futures: one with the present settings, and one
 * with those that an operator has typed. Nothing in the room is changed.
 */
import type { HistoryStep } from '../core/history/history.ts'
import { MINUTE_MS } from '../core/timing.ts'
import type { Future, Plan, Start, Stream, Turn } from './plan.ts'
import { playUntil, ROUGH, type Scale, scaleOf } from './scale.ts'
import {
  BURST_OVER_MS,
  emptyStart,
  type Habits,
  habitsOf,
  type SeenRoom,
  startOf,
  stayUnder,
  timesOfEvents,
} from './seen.ts'

/** The values that an operator has typed. A value that is left out stays as it is. */
export interface Typed {
  readonly ratePerMinute?: number
  readonly totalActiveUsers?: number
  readonly sessionMinutes?: number
  /** The line is held from now on for this many minutes. 0 releases a held line. */
  readonly holdMinutes?: number
  /** The number of newcomers is multiplied by this. */
  readonly arrivalsTimes?: number
  readonly burst?: { readonly people: number; readonly atMs: number }
  /**
   * The rehearsal begins before this event instead of now. The share `earlyShare` (0 to 1) of the people comes before
   * the start.
   */
  readonly event?: { readonly name: string; readonly people: number; readonly earlyShare: number }
}

export interface Question {
  readonly room: SeenRoom
  /** The past of the room by the minute, oldest first. */
  readonly minutes: readonly HistoryStep[]
  readonly typed: Typed
  readonly which: 'as-is' | 'typed'
}

export type Rehearsal =
  /** No future can be played: visitors pass without a line, the origin is down, or there is no such event. */
  | { readonly kind: 'none'; readonly why: 'passes' | 'outage' | 'no-event' }
  | {
      readonly kind: 'drawn'
      readonly fromMs: number
      readonly untilMs: number
      readonly future: Future
      readonly habits: Habits
      readonly scale: Scale
      /** The limits that origin health keeps below those of the operator. Null for a limit that it does not lower. */
      readonly caps: Caps
    }

interface Caps {
  readonly ratePerMinute: number | null
  readonly totalActiveUsers: number | null
}

/** The possible lengths of a drawing. A drawing gets the shortest length that contains everything that happens. */
const DRAWN_MINUTES = [30, 45, 60, 90, 120, 180, 240, 300, 360, 480, 600, 720, 960, 1_440]
/** A line that does not end within a day is drawn for this long. */
const ENDLESS_MINUTES = 90
const DAY_MS = 1_440 * MINUTE_MS
/** A drawing is longer than the time until the line is empty, at least by this factor. */
const AFTERWARDS = 1.25
/** The drawing includes a change of the limits if it comes within this time. */
const SOON_MS = 2 * 60 * MINUTE_MS
/** Before an event without a prequeue, the drawing begins this early. */
const BEFORE_EVENT_MS = 5 * MINUTE_MS
/** Half of the people who come after the start of an event come in the first of these times, the rest in the second. */
const LATE_MINUTES = [10, 50] as const

export function rehearse({ room, minutes, typed, which }: Question): Rehearsal {
  const why = whyNot(room, typed)
  if (why !== null) return { kind: 'none', why }
  const context = contextOf(room, minutes, typed)
  const { start, habits, caps } = context
  const plans = { 'as-is': planOf(context, asIs(typed)), typed: planOf(context, typed) }
  const untilMs = start.nowMs + lengthMs(start, Object.values(plans))
  const scale = scaleOf(start, plans[which], untilMs)
  const future = playUntil(untilMs, start, plans[which], scale)
  return { kind: 'drawn', fromMs: start.nowMs, untilMs, future, habits, scale, caps }
}

interface Context {
  readonly room: SeenRoom
  readonly start: Start
  readonly habits: Habits
  readonly caps: Caps
  readonly sessionMs: number
}

function whyNot(room: SeenRoom, { event }: Typed): 'passes' | 'outage' | 'no-event' | null {
  const { settings, figures } = room
  if (event) return timesOfEvents(room).some(({ name }) => name === event.name) ? null : 'no-event'
  if (figures.health.reason === 'outage') return 'outage'
  const method = inForce(room, 'queueing_method', Date.parse(room.now)) ?? settings.queueing_method
  const passes = settings.suspended || settings.mode === 'observe' || method === 'passthrough' || method === 'reject'
  return passes && !settings.queue_all ? 'passes' : null
}

function contextOf(room: SeenRoom, minutes: readonly HistoryStep[], { event: asked }: Typed): Context {
  const nowMs = Date.parse(room.now)
  const sessionMs = limitsAt(room, {}, nowMs).sessionMs
  const habits = habitsOf(room, minutes, sessionMs)
  const event = asked && timesOfEvents(room).find(({ name }) => name === asked.name)
  if (!event) return { room, start: startOf(room, minutes), habits, caps: capsOf(room, nowMs), sessionMs }
  const start = emptyStart(event.prequeueMs ?? event.startMs - BEFORE_EVENT_MS, habits.showRate)
  return { room, start, habits, caps: { ratePerMinute: null, totalActiveUsers: null }, sessionMs }
}

/**
 * Returns the typed values that apply to the first future as well. If settings are typed, both futures have the same
 * crowd, so they show the effect of the settings. Otherwise only the second future has the typed crowd, so they show
 * the effect of the crowd.
 */
function asIs({ event, arrivalsTimes, burst, ...settings }: Typed): Typed {
  const crowd = { ...(arrivalsTimes === undefined ? {} : { arrivalsTimes }), ...(burst ? { burst } : {}) }
  return { ...(event ? { event } : {}), ...(Object.keys(settings).length > 0 ? crowd : {}) }
}

function planOf({ room, start, habits, caps, sessionMs }: Context, typed: Typed): Plan {
  const { nowMs } = start
  const heldUntilMs = heldUntil(room, typed, nowMs)
  const events = timesOfEvents(room)
  const edges = [heldUntilMs, ...events.flatMap(({ startMs, endMs }) => [startMs, endMs])]
  const turns = [nowMs, ...edges.filter(ms => ms > nowMs && ms < nowMs + DAY_MS)].sort((a, b) => a - b)
  const turnAt = (fromMs: number): Turn => {
    const limits = limitsAt(room, typed, fromMs)
    const ratePerMinute = Math.min(limits.ratePerMinute, caps.ratePerMinute ?? Number.POSITIVE_INFINITY)
    return {
      fromMs,
      ratePerMinute: fromMs < heldUntilMs ? 0 : ratePerMinute,
      totalActiveUsers: Math.min(limits.totalActiveUsers, caps.totalActiveUsers ?? Number.POSITIVE_INFINITY),
      stayMs: stayUnder(habits.stayMs, sessionMs, limits.sessionMs),
    }
  }
  const next = events.find(({ startMs, prequeueMs }) => prequeueMs !== null && startMs > nowMs)
  const event = next
    ? { name: next.name, prequeueMs: next.prequeueMs, startMs: next.startMs, endMs: next.endMs, shuffles: false }
    : null
  return { turns: turns.map(turnAt), streams: streamsOf(start, events, habits, typed), event }
}

function streamsOf(
  { nowMs }: Start,
  events: ReturnType<typeof timesOfEvents>,
  { arrivalsPerMinute }: Habits,
  { arrivalsTimes = 1, burst, event: asked }: Typed,
): Stream[] {
  const sudden = burst
    ? [
        {
          fromMs: burst.atMs,
          untilMs: burst.atMs + BURST_OVER_MS,
          perMinute: (burst.people * MINUTE_MS) / BURST_OVER_MS,
        },
      ]
    : []
  const event = asked && events.find(({ name }) => name === asked.name)
  if (!asked || !event)
    return [{ fromMs: nowMs, untilMs: nowMs + 2 * DAY_MS, perMinute: arrivalsPerMinute * arrivalsTimes }, ...sudden]
  const people = asked.people * arrivalsTimes
  const { startMs } = event
  const early = event.prequeueMs === null ? 0 : asked.earlyShare
  const [soon, later] = LATE_MINUTES
  const soonUntilMs = startMs + soon * MINUTE_MS
  const half = (people * (1 - early)) / 2
  return [
    { fromMs: nowMs, untilMs: startMs, perMinute: (people * early * MINUTE_MS) / (startMs - nowMs) },
    { fromMs: startMs, untilMs: soonUntilMs, perMinute: half / soon },
    { fromMs: soonUntilMs, untilMs: soonUntilMs + later * MINUTE_MS, perMinute: half / later },
    ...sudden,
  ]
}

/** Returns until when the line is held. A room that is held without an end stays held. */
function heldUntil({ settings }: SeenRoom, { holdMinutes, event }: Typed, nowMs: number): number {
  if (holdMinutes !== undefined) return nowMs + holdMinutes * MINUTE_MS
  return settings.queue_all && !event ? Number.POSITIVE_INFINITY : nowMs
}

/** Returns the operator's limits at a time. During an event the event's own limits apply instead of the room's. */
function limitsAt(room: SeenRoom, typed: Typed, atMs: number) {
  const { settings } = room
  const number = (key: string, own: number) => {
    const instead = inForce(room, key, atMs)
    return typeof instead === 'number' ? instead : own
  }
  const session = number('session_duration', typed.sessionMinutes ?? settings.session_duration)
  return {
    ratePerMinute: number('new_users_per_minute', typed.ratePerMinute ?? settings.new_users_per_minute),
    totalActiveUsers: number('total_active_users', typed.totalActiveUsers ?? settings.total_active_users),
    sessionMs: session * MINUTE_MS,
  }
}

/** Returns a setting of the event that is on at this time, if the event has it. */
function inForce(room: SeenRoom, key: string, atMs: number): unknown {
  return timesOfEvents(room).find(({ startMs, endMs }) => startMs <= atMs && atMs < endMs)?.instead[key]
}

function capsOf(room: SeenRoom, nowMs: number): Caps {
  const { settings, figures } = room
  const own = limitsAt(room, {}, nowMs)
  const { effectiveRatePerMinute: rate, totalActiveUsers: places } = figures
  return {
    ratePerMinute: !settings.queue_all && rate < own.ratePerMinute ? rate : null,
    totalActiveUsers: places < own.totalActiveUsers ? places : null,
  }
}

/** Returns how long both futures are drawn: until their lines are empty, and a little longer. */
function lengthMs(start: Start, plans: readonly Plan[]): number {
  const { nowMs } = start
  const needed = plans.flatMap(plan => {
    const turns = plan.turns.map(({ fromMs }) => fromMs - nowMs)
    const comes = plan.streams.map(({ untilMs }) => untilMs - nowMs).filter(ms => ms <= DAY_MS)
    return [lineMs(start, plan, turns), ...turns.filter(ms => ms <= SOON_MS), ...comes].map(ms => ms * AFTERWARDS)
  })
  const minutes = Math.max(...needed) / MINUTE_MS
  return (DRAWN_MINUTES.find(drawn => drawn >= minutes) ?? 1_440) * MINUTE_MS
}

/** Returns roughly how long there is a line. A line that only a later event brings does not count. */
function lineMs(start: Start, plan: Plan, turns: readonly number[]): number {
  const later = turns.find(ms => ms > SOON_MS) ?? DAY_MS
  for (const ms of new Set([SOON_MS, later, DAY_MS])) {
    const untilMs = start.nowMs + ms
    const { lineUntilMs } = playUntil(untilMs, start, plan, scaleOf(start, plan, untilMs, ROUGH))
    const tookMs = (lineUntilMs ?? start.nowMs) - start.nowMs
    if (tookMs * AFTERWARDS < ms) return tookMs
  }
  return ENDLESS_MINUTES * MINUTE_MS
}
