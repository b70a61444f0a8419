/**
 * Plays a future in bounded time. In a long future a step stands for more than a second, and in a huge crowd one person
 * stands for several. Both change the unit of all rates alike, so the decisions of `core` stay the same.
 */
import { MINUTE_MS } from '../core/timing.ts'
import { play } from './future.ts'
import { type Future, type Plan, STEP_MS, type Start } from './plan.ts'

/** How closely a future is played: the most steps, and the most people who come in. Higher numbers take longer. */
interface Detail {
  readonly stepsMax: number
  readonly admittedMax: number
}

/** With this much detail, a future takes less than a second to play. */
const FINE: Detail = { stepsMax: 2_400, admittedMax: 40_000 }
/** This much detail is enough to learn how long a line lasts. */
export const ROUGH: Detail = { stepsMax: 300, admittedMax: 4_000 }
/** The most people who wait or are inside. They take memory, but hardly any time. */
const PEOPLE_MAX = 400_000
/**
 * A called visitor needs this long to come in. If a step stands for several seconds, a wait contains this time several
 * times, so the excess is subtracted.
 */
const ON_THE_WAY_MS = 5_500
/** A chart has room for about this many moments. */
const MOMENTS = 240

/** `timesAsFast`: seconds of the room in one step. `peopleEach`: the number of people for whom one person stands. */
export interface Scale {
  readonly timesAsFast: number
  readonly peopleEach: number
}

export function scaleOf(start: Start, plan: Plan, untilMs: number, detail = FINE): Scale {
  const tookMs = untilMs - start.nowMs
  const minutes = tookMs / MINUTE_MS
  const rate = Math.max(...plan.turns.map(({ ratePerMinute }) => ratePerMinute))
  const come = plan.streams.reduce((sum, stream) => sum + stream.perMinute * minutesIn(stream, start.nowMs, untilMs), 0)
  const admitted = Math.min(rate * minutes, start.waiting * start.showRate + come)
  return {
    timesAsFast: Math.max(1, Math.ceil(tookMs / STEP_MS / detail.stepsMax)),
    peopleEach: Math.max(
      1,
      Math.ceil(admitted / detail.admittedMax),
      Math.ceil(come / (2 * detail.admittedMax)),
      Math.ceil(start.waiting / PEOPLE_MAX),
      Math.ceil(start.inside / PEOPLE_MAX),
    ),
  }
}

export function playUntil(untilMs: number, start: Start, plan: Plan, scale: Scale): Future {
  const steps = Math.max(1, Math.ceil((untilMs - start.nowMs) / STEP_MS / scale.timesAsFast))
  const small = { start: shrunkStart(start, scale), plan: shrunkPlan(plan, start.nowMs, scale) }
  const future = play(small.start, small.plan, {
    steps,
    moments: MOMENTS,
    freshWeight: 1 / scale.timesAsFast,
  })
  return grown(future, start.nowMs, scale)
}

function minutesIn({ fromMs, untilMs }: Plan['streams'][number], beganMs: number, endMs: number): number {
  return Math.max(0, Math.min(untilMs, endMs) - Math.max(fromMs, beganMs)) / MINUTE_MS
}

function shrunkStart(start: Start, { timesAsFast, peopleEach }: Scale): Start {
  return {
    ...start,
    waiting: start.waiting / peopleEach,
    ready: Math.round(start.ready / peopleEach),
    inside: Math.round(start.inside / peopleEach),
    admittedLastMinute: (start.admittedLastMinute * timesAsFast) / peopleEach,
    came: start.came.map(({ agoMs, people }) => ({ agoMs: agoMs / timesAsFast, people: people / peopleEach })),
    permits: start.permits / peopleEach,
    remaining: start.remaining === null ? null : Math.floor(start.remaining / peopleEach),
  }
}

function shrunkPlan({ turns, streams, event }: Plan, nowMs: number, { timesAsFast, peopleEach }: Scale): Plan {
  const sooner = (ms: number) => nowMs + (ms - nowMs) / timesAsFast
  const faster = (perMinute: number) => (perMinute * timesAsFast) / peopleEach
  return {
    turns: turns.map(({ fromMs, ratePerMinute, totalActiveUsers, stayMs }) => ({
      fromMs: sooner(fromMs),
      ratePerMinute: faster(ratePerMinute),
      totalActiveUsers: Math.max(1, Math.floor(totalActiveUsers / peopleEach)),
      stayMs: stayMs / timesAsFast,
    })),
    streams: streams.map(({ fromMs, untilMs, perMinute }) => ({
      fromMs: sooner(fromMs),
      untilMs: sooner(untilMs),
      perMinute: faster(perMinute),
    })),
    event: event && {
      ...event,
      prequeueMs: event.prequeueMs === null ? null : sooner(event.prequeueMs),
      startMs: sooner(event.startMs),
      endMs: sooner(event.endMs),
    },
  }
}

function grown(future: Future, nowMs: number, { timesAsFast, peopleEach }: Scale): Future {
  const later = (ms: number | null) => (ms === null ? null : nowMs + (ms - nowMs) * timesAsFast)
  return {
    moments: future.moments.map(moment => ({
      atMs: nowMs + (moment.atMs - nowMs) * timesAsFast,
      waiting: moment.waiting * peopleEach,
      inside: moment.inside * peopleEach,
      admitted: moment.admitted * peopleEach,
      waitMs:
        moment.waitMs === null ? null : Math.max(0, moment.waitMs * timesAsFast - (timesAsFast - 1) * ON_THE_WAY_MS),
      ratePerMinute: (moment.ratePerMinute * peopleEach) / timesAsFast,
      totalActiveUsers: moment.totalActiveUsers * peopleEach,
    })),
    emptyAtMs: later(future.emptyAtMs),
    lineUntilMs: later(future.lineUntilMs),
    mostInside: future.mostInside * peopleEach,
    mostWaiting: future.mostWaiting * peopleEach,
    soldOutAtMs: later(future.soldOutAtMs),
  }
}
