// @ts-check
// Futures and their assumptions in words. This file neither touches the page nor reads a clock.
import { count, until } from '../words.js'

/** @typedef {Extract<import('../../../src/rehearsal/rehearse.ts').Rehearsal, { kind: 'drawn' }>} Drawn */
/** @typedef {import('../../../src/rehearsal/rehearse.ts').Typed} Typed */

export const NOT_DRAWN = {
  passes: 'Every visitor passes without a line now, so there is nothing to rehearse.',
  outage: 'The origin is out. No one comes in, and no one can foresee for how long.',
  'no-event': 'The room has no event of this name any more.',
}

/** Things that no future takes into account. */
export const LEFT_OUT = [
  'Origin health that changes. Limits that it has lowered stay as they are.',
  'Lanes: all of them are one line here. Draws: a drawn place is better or worse than the one by arrival.',
  'Visitors who leave because the line is long, or come because it is short.',
]

/** Describes one future in two or three sentences. @param {string} name @param {Drawn} drawn */
export function futureWords(name, { future, untilMs, fromMs }) {
  const waits = future.moments.flatMap(({ waitMs }) => (waitMs === null ? [] : [waitMs]))
  const longest = future.moments.some(({ waitMs }) => waitMs === null) ? null : Math.max(...waits)
  const line =
    future.lineUntilMs === null
      ? 'No line forms.'
      : future.emptyAtMs === null
        ? `The line is not empty by ${clock(untilMs, fromMs)}.`
        : `The line is empty at ${clock(future.emptyAtMs, fromMs)}.`
  const first = waitWords(future.moments[0]?.waitMs ?? null)
  const most = longest === null ? '' : ` The longest wait is ${waitWords(longest)}.`
  const soldOut = future.soldOutAtMs === null ? '' : ` The budget is used up at ${clock(future.soldOutAtMs, fromMs)}.`
  return `${name}: ${line} A visitor who comes at the beginning waits ${first}.${most} At most ${count(Math.round(future.mostWaiting))} wait and ${count(future.mostInside)} are inside.${soldOut}`
}

/**
 * Describes the assumptions of the futures, with the figures.
 * @param {Drawn} drawn @param {Typed} typed @param {number} minutes of the past that were read
 */
export function assumptionsOf({ habits, scale, caps, fromMs }, typed, minutes) {
  const { arrivalsTimes = 1, burst, event } = typed
  const come = event
    ? eventWords(event)
    : `${count(habits.arrivalsPerMinute)} newcomers come a minute, as in the last minute${arrivalsTimes === 1 ? '' : `. As typed: ${count(habits.arrivalsPerMinute * arrivalsTimes)}`}.`
  return [
    come,
    ...(burst
      ? [`As typed, ${count(burst.people)} more come within two minutes from ${clock(burst.atMs, fromMs)} on.`]
      : []),
    `${Math.round(100 * habits.showRate)} of 100 called visitors turn up, as the room has measured.`,
    habits.isStayMeasured
      ? `A visitor stays ${count(habits.stayMs / 60_000)} min on average, which explains how many were inside in the last ${minutes} minutes.`
      : `A visitor stays ${count(habits.stayMs / 60_000)} min on average, as the duration of a session demands: the past is too short to measure it.`,
    ...(caps.ratePerMinute === null ? [] : [`Origin health keeps the rate at ${count(caps.ratePerMinute)} or below.`]),
    ...(caps.totalActiveUsers === null
      ? []
      : [`Origin health keeps the places at ${count(caps.totalActiveUsers)} or below.`]),
    ...(scale.timesAsFast > 1 ? [`The time goes in steps of ${scale.timesAsFast} s.`] : []),
    ...(scale.peopleEach > 1 ? [`One person of the drawing stands for ${scale.peopleEach}.`] : []),
  ]
}

/** @param {NonNullable<Typed['event']>} event */
function eventWords({ people, earlyShare }) {
  const early = Math.round(100 * earlyShare)
  return `${count(people)} visitors come. With a prequeue ${early} of 100 come evenly before the start. Half of the others come in the ten minutes after it, and the rest in the fifty minutes after those.`
}

/** @param {number | null} ms */
export function waitWords(ms) {
  if (ms === null) return 'longer than is drawn'
  return ms < 60_000 ? 'less than a minute' : until(ms)
}

/**
 * Returns a time of day. If the day is not that of the beginning, the text contains the date.
 * @param {number} atMs @param {number} fromMs
 */
export function clock(atMs, fromMs) {
  const at = new Date(atMs)
  const time = at.toLocaleTimeString([], { hour: '2-digit', minute: '2-digit', hourCycle: 'h23' })
  const isSameDay = at.toDateString() === new Date(fromMs).toDateString()
  return isSameDay ? time : `${time} on ${at.toLocaleDateString([], { month: 'short', day: 'numeric' })}`
}
