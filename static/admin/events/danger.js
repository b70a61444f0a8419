// @ts-check
// The effects of a change of the events on visitors who wait for one or are in it, in numbers.
import { count } from '../words.js'
import { localTime } from './words.js'

/** @typedef {import('../api.js').Room} Room */
/** @typedef {import('../api.js').Settings} Settings */
/** @typedef {import('../api.js').ScheduledEvent} ScheduledEvent */
/** @typedef {import('../danger.js').Effect} Effect */

/** If the rate of an event is this many times the room's, it is probably a typing error. */
const TIMES = 5

/** @param {Room} room @param {Settings['events']} next @returns {Effect[]} */
export function eventEffects(room, next) {
  const known = room.events.filter(({ state }) => state !== 'over' && state !== 'suspended')
  const before = new Map(room.settings.events.map(event => [event.name, JSON.stringify(event)]))
  const changed = next.filter(event => !event.suspended && before.get(event.name) !== JSON.stringify(event))
  return [
    ...known.flatMap(event => lost(room, event, next)),
    ...known.flatMap(event => moved(event, next)),
    ...changed.flatMap(event => opened(room, event)),
  ]
}

/** @param {Room} room @param {ScheduledEvent} event @param {Settings['events']} next @returns {Effect[]} */
function lost({ figures }, { name, state, draw, startsAt }, next) {
  const after = next.find(event => event.name === name)
  const isGone = after === undefined || after.suspended
  const verb = after === undefined ? 'Remove' : 'Suspend'
  if (!isGone && draw && state === 'prequeueing' && !after.shuffle_at_event_start)
    return [{ title: `Call off the draw of ${name}?`, text: calledOff(name, draw.entries), yes: 'Call it off' }]
  if (!isGone) return []
  if (state === 'active') {
    const text = `${name} is on, and ends at once: the settings of the room are in force again. ${count(figures.active)} are inside, and ${count(figures.waiting)} wait.`
    return [{ title: `End ${name}?`, text, yes: `End ${name}` }]
  }
  if (state === 'prequeueing') {
    const waiting = `Visitors wait for the start of ${name}: ${count(figures.waiting)} in all. They keep their places, and the line moves at once.`
    const text = draw ? calledOff(name, draw.entries) : waiting
    return [{ title: `${verb} ${name}?`, text, yes: `${verb} ${name}` }]
  }
  const text = `It would have started ${localTime(startsAt)}. No one waits for it yet.`
  return [{ title: `${verb} ${name}?`, text, yes: `${verb} ${name}`, isDanger: false }]
}

/** @param {string} name @param {number} entries */
function calledOff(name, entries) {
  return `${count(entries)} visitors wait for the draw of ${name}. It is called off: they stand by arrival, and the line is held for 75 seconds.`
}

/**
 * The effects of moving the start while visitors wait for it.
 * @param {ScheduledEvent} event @param {Settings['events']} next @returns
 * {Effect[]}
 */
function moved({ name, state, startsAt, draw }, next) {
  const after = next.find(event => event.name === name && !event.suspended)
  if (state !== 'prequeueing' || !after || Date.parse(after.event_start_time) === Date.parse(startsAt)) return []
  const entries = draw ? ` ${count(draw.entries)} have an entry in its draw, and keep it.` : ''
  const text = `Visitors wait for it already: it starts ${localTime(after.event_start_time)} instead of ${localTime(startsAt)}.${entries}`
  return [{ title: `Move the start of ${name}?`, text, yes: 'Move the start', isDanger: false }]
}

/**
 * Returns the effects that an event has from its start on.
 * @param {Room} room @param {Settings['events'][number]} event
 * @returns {Effect[]}
 */
function opened({ settings }, event) {
  const { name, event_start_time: start, new_users_per_minute: rate, queueing_method: method } = event
  const from = `From ${localTime(start)} on`
  const yes = `Save ${name}`
  const title = `Plan ${name} like this?`
  const usual = settings.new_users_per_minute
  if (method === 'passthrough')
    return [{ title, text: `${from} every visitor goes straight to the site, without any limit.`, yes }]
  if (method === 'reject')
    return [{ title, text: `${from} there is no line: a newcomer who cannot go in at once is rejected.`, yes }]
  if (rate === 0) return [{ title, text: `${from} no one is let in: its rate is 0.`, yes }]
  if (rate === null || usual === 0 || rate < TIMES * usual) return []
  const text = `${from} ${count(rate)} a minute are let in, ${count(rate / usual)} times as many as the ${count(usual)} of the room.`
  return [{ title, text, yes }]
}
