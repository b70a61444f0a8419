/**
 * A visitor's place as data: for API clients, for the page's polls, and as the variables of page templates.
 *
 * `cfWaitingRoom` has the published variables of Cloudflare Waiting Room's JSON, so that its clients and templates work
 * unchanged; what is ours stands beside it.
 */
import type { Wait } from '../core/estimate.ts'
import type { Admitted, Waiting } from './gate.ts'
import { seconds } from './problem.ts'

/** The variables of a template: the published ones and ours, in one flat object. */
export type PlaceJson = ReturnType<typeof placeJson>

export function placeJson(waiting: Waiting, nowMs: number) {
  const { room, place, view } = waiting
  const { config } = room.settings
  const called = place.state === 'called'
  const ahead = place.state === 'waiting' ? place.ahead : 0
  const wait = place.state === 'waiting' && place.position !== null ? place.wait : null
  const method = config.queueing_method
  return {
    cfWaitingRoom: {
      inWaitingRoom: true,
      waitTimeKnown: wait !== null,
      waitTime: minutes(wait?.likelyMs),
      waitTime25Percentile: minutes(wait?.lowMs),
      waitTime50Percentile: minutes(wait?.likelyMs),
      waitTime75Percentile: minutes(wait?.highMs),
      waitTimeFormatted: called ? 'less than a minute' : formatted(wait),
      queueIsFull: false,
      queueAll: config.queue_all,
      lastUpdated: new Date(view?.asOfMs ?? nowMs).toISOString(),
      refreshIntervalSeconds: seconds(waiting.pollAfterMs),
      queueingMethod: method,
      isFIFOQueue: method === 'fifo',
      isRandomQueue: false,
      isPassthroughQueue: false,
      isRejectQueue: false,
      isEventActive: false,
      isEventPrequeueing: false,
      timeUntilEventStart: 0,
      timeUntilEventStartFormatted: 'unavailable',
      timeUntilEventEnd: 0,
      timeUntilEventEndFormatted: 'unavailable',
      shuffleAtEventStart: false,
      turnstile: 'off',
      infiniteQueue: false,
    },
    state: called ? ('called' as const) : waiting.missed ? ('missed' as const) : ('waiting' as const),
    position: place.state === 'waiting' ? place.position : called ? waiting.ticket.low : null,
    peopleAhead: place.state === 'waiting' && place.position !== null ? Math.min(ahead, place.position - 1) : null,
    called,
    claimBy: called && waiting.ticket.byMs !== null ? new Date(waiting.ticket.byMs).toISOString() : null,
    held: view?.held ?? false,
    message: config.message,
    pollAfterSeconds: Math.ceil(waiting.pollAfterMs / 100) / 10,
  }
}

/** The poll of somebody who is inside, or whose poll has just taken a permit. */
export function insideJson(room: Admitted['room'], nowMs: number) {
  return {
    cfWaitingRoom: { inWaitingRoom: false, lastUpdated: new Date(nowMs).toISOString() },
    state: 'admitted' as const,
    position: null,
    peopleAhead: null,
    called: false,
    claimBy: null,
    held: false,
    message: room.settings.config.message,
    pollAfterSeconds: null,
  }
}

/** A wait in words, as a range: "3 to 5 minutes". */
export function formatted(wait: Wait | null): string {
  if (wait === null) return 'unavailable'
  const low = Math.floor(wait.lowMs / 60_000)
  const high = Math.ceil(wait.highMs / 60_000)
  if (high <= 1) return 'less than a minute'
  if (high >= 90) return `${round(low / 60)} to ${round(high / 60 + 0.4)} hours`
  return low < 1 ? `up to ${high} minutes` : `${low} to ${high} minutes`
}

function round(hours: number): number {
  return Math.max(1, Math.round(hours))
}

function minutes(ms: number | undefined): number {
  return ms === undefined ? 0 : Math.ceil(ms / 60_000)
}
