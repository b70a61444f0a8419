/**
 * Scheduled events as operators write them, and the phases in which they are in force. Names follow Cloudflare Waiting
 * Room.
 */
import * as z from 'zod'
import type { ScheduledEvent } from '../core/events/schedule.ts'
import { MINUTE_MS } from '../core/timing.ts'
import { flag, show, textLike, textThat } from './messages.ts'
import { overridable } from './overridable.ts'

const EVENTS_MAX = 100
/**
 * The shortest prequeue, in minutes: a visitor counts only after up to a minute of polls, and the page needs time to
 * announce the start.
 */
const PREQUEUE_MIN_MINUTES = 5
/**
 * The longest prequeue. A ticket is valid for 24 hours after its last poll. So a visitor who closes the page overnight
 * still takes part.
 */
const PREQUEUE_MAX_MINUTES = 24 * 60
const EVENT_MAX_DAYS = 366
const EVENT_MIN_MINUTES = 1
/** Events must be in these years, which catches a mistyped year such as 20255. */
const YEARS = { first: 2000, last: 2100 }
const ISO_8601 = /^(\d{4})-\d{2}-\d{2}T\d{2}:\d{2}(:\d{2}(\.\d{1,3})?)?(Z|[+-]\d{2}:\d{2})$/

const time = () =>
  textThat(
    isTime,
    `a time with zone like 2026-11-27T09:00:00Z or 2026-11-27T10:00:00+01:00, years ${YEARS.first} to ${YEARS.last}`,
  ).meta({ format: 'date-time' })

const eventSchema = z
  .strictObject({
    name: textLike(/^[\w-]{1,64}$/, '1 to 64 letters, digits, - or _'),
    description: z
      .string({ error: 'must be text' })
      .max(1_000, { error: 'must be at most 1,000 characters' })
      .default(''),
    prequeue_start_time: time().nullable().default(null),
    event_start_time: time(),
    event_end_time: time(),
    shuffle_at_event_start: flag().default(false),
    suspended: flag().default(false),
    total_active_users: overridable.total_active_users.nullable().default(null),
    new_users_per_minute: overridable.new_users_per_minute.nullable().default(null),
    session_duration: overridable.session_duration.nullable().default(null),
    disable_session_renewal: overridable.disable_session_renewal.nullable().default(null),
    queueing_method: overridable.queueing_method.nullable().default(null),
    message: overridable.message.nullable().default(null),
    custom_page_html: overridable.custom_page_html.nullable().default(null),
  })
  .superRefine((event, context) => {
    const say = (path: string, message: string) => context.addIssue({ code: 'custom', path: [path], message })
    const [prequeueMs, startMs, endMs] = timesOf(event)
    const lastsMinutes = (endMs - startMs) / MINUTE_MS
    if (lastsMinutes < EVENT_MIN_MINUTES || lastsMinutes > EVENT_MAX_DAYS * 24 * 60) {
      const got = `got ${show(event.event_end_time)}`
      say('event_end_time', `must be 1 minute to ${EVENT_MAX_DAYS} days after event_start_time, ${got}`)
    }
    const earlyMinutes = prequeueMs === null ? PREQUEUE_MIN_MINUTES : (startMs - prequeueMs) / MINUTE_MS
    if (earlyMinutes < PREQUEUE_MIN_MINUTES || earlyMinutes > PREQUEUE_MAX_MINUTES) {
      const got = `got ${show(event.prequeue_start_time)}`
      say('prequeue_start_time', `must be 5 minutes to 24 hours before event_start_time, ${got}`)
    }
    if (event.shuffle_at_event_start && prequeueMs === null)
      say('shuffle_at_event_start', 'must be false without prequeue_start_time: there is no visitor to draw, got true')
    if ((event.total_active_users === null) !== (event.new_users_per_minute === null)) {
      const [missing, other] =
        event.total_active_users === null
          ? ['total_active_users', 'new_users_per_minute']
          : ['new_users_per_minute', 'total_active_users']
      say(missing, `must be set where ${other} is: an event has both of its own or neither, got null`)
    }
  })

export type EventConfig = z.output<typeof eventSchema>

export const eventsSchema = z
  .array(eventSchema, { error: issue => `must be a list of events, got ${show(issue.input)}` })
  .max(EVENTS_MAX, { error: `must have at most ${EVENTS_MAX} events` })
  .superRefine((events, context) => {
    const order = events.map((event, index) => ({ event, index })).filter(({ event }) => !event.suspended)
    order.sort((a, b) => beginOf(a.event) - beginOf(b.event))
    order.forEach(({ event, index }, i) => {
      const before = order[i - 1]
      if (!before || beginOf(event) >= timesOf(before.event)[2]) return
      const field = event.prequeue_start_time === null ? 'event_start_time' : 'prequeue_start_time'
      const message = `must not be before the end of ${show(before.event.name)} (${before.event.event_end_time}): events do not overlap, got ${show(event[field])}`
      context.addIssue({ code: 'custom', path: [index, field], message })
    })
    events.forEach(({ name }, index) => {
      const first = events.findIndex(other => other.name === name)
      const message = `must be unique, ${show(name)} is events[${first}] already`
      if (first !== index) context.addIssue({ code: 'custom', path: [index, 'name'], message })
    })
  })

/**
 * A stretch of time: the prequeue of an event, the event, or neither. The phases follow one another and cover all time.
 */
export interface Phase {
  readonly fromMs: number
  readonly untilMs: number
  /** The event in force. */
  readonly event: EventConfig | null
  readonly isPrequeue: boolean
  /** The event in force, or else the next one. */
  readonly next: ScheduledEvent | null
}

export function phasesOf(events: readonly EventConfig[]): readonly Phase[] {
  const phases: Phase[] = []
  let fromMs = Number.NEGATIVE_INFINITY
  const add = (untilMs: number, event: EventConfig | null, isPrequeue: boolean, next: ScheduledEvent | null) => {
    if (untilMs > fromMs) phases.push({ fromMs, untilMs, event, isPrequeue, next })
    fromMs = untilMs
  }
  for (const event of inForce(events)) {
    const [prequeueMs, startMs, endMs] = timesOf(event)
    const next = scheduledOf(event)
    add(prequeueMs ?? startMs, null, false, next)
    add(startMs, event, true, next)
    add(endMs, event, false, next)
  }
  add(Number.POSITIVE_INFINITY, null, false, null)
  return phases
}

/** Returns every event that is not suspended, soonest first. */
export function scheduled(events: readonly EventConfig[]): readonly ScheduledEvent[] {
  return inForce(events).map(scheduledOf)
}

export function timesOf(
  event: Pick<EventConfig, 'prequeue_start_time' | 'event_start_time' | 'event_end_time'>,
): [prequeueMs: number | null, startMs: number, endMs: number] {
  const { prequeue_start_time, event_start_time, event_end_time } = event
  return [
    prequeue_start_time === null ? null : Date.parse(prequeue_start_time),
    Date.parse(event_start_time),
    Date.parse(event_end_time),
  ]
}

function inForce(events: readonly EventConfig[]): EventConfig[] {
  return events.filter(({ suspended }) => !suspended).sort((a, b) => beginOf(a) - beginOf(b))
}

function scheduledOf(event: EventConfig): ScheduledEvent {
  const [prequeueMs, startMs, endMs] = timesOf(event)
  return { name: event.name, prequeueMs, startMs, endMs, shuffles: event.shuffle_at_event_start }
}

function beginOf(event: EventConfig): number {
  const [prequeueMs, startMs] = timesOf(event)
  return prequeueMs ?? startMs
}

function isTime(text: string): boolean {
  const year = Number(ISO_8601.exec(text)?.[1] ?? 0)
  return year >= YEARS.first && year <= YEARS.last && isRealDate(text)
}

/** True if the date exists. `Date.parse` would read 30 February as 2 March. */
function isRealDate(text: string): boolean {
  if (Number.isNaN(Date.parse(text))) return false
  const [year = 0, month = 0, day = 0] = text.slice(0, 10).split('-').map(Number)
  return new Date(Date.UTC(year, month - 1, day)).getUTCDate() === day
}
