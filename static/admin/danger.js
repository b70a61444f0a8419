// @ts-check
// The question before a change that affects many visitors: it shows what will happen, in numbers. Every way to change a
// room leads through here: a field, a switch, the form of all settings, a reset to the file and an undo.
import { eventEffects } from './events/danger.js'
import { count, isFull, until } from './words.js'

/** @typedef {import('./api.js').Room} Room */
/** @typedef {import('./api.js').Settings} Settings */
/** @typedef {import('./change.js').Request} Request */
/**
 * With `isDanger` the question is red.
 * @typedef {{ title: string, texts: string[], yes: string, isDanger: boolean }} Question
 */
/** One effect of a change. @typedef {{ title: string, text: string, yes: string, isDanger?: boolean }} Effect */

/** If a new limit is this many times the present one, it is probably a typing error. */
const TIMES = 5

/**
 * Returns the question to ask before a change, or null.
 * @param {Room} room @param {Request} request @returns {Question | null}
 */
export function questionFor(room, request) {
  const effects = effectsOf(room, after(room, request))
  const [first, ...others] = effects
  if (!first) return null
  const { title, yes } = others.length === 0 ? first : { title: `Change ${room.name}?`, yes: 'Make all changes' }
  const texts = effects.map(({ text }) => text)
  return { title, texts, yes, isDanger: effects.some(({ isDanger = true }) => isDanger) }
}

/**
 * Returns the settings that a change sets or resets, with their new values.
 * @param {Room} room @param {Request} request @returns
 * {Partial<Settings>}
 */
function after({ sources, file }, request) {
  if ('set' in request) return request.set
  const keys = request.reset === 'all' ? Object.keys(sources).filter(key => sources[key] === 'live') : request.reset
  return Object.fromEntries(keys.map(key => [key, Reflect.get(file, key)]))
}

/** @param {Room} room @param {Partial<Settings>} next @returns {Effect[]} */
function effectsOf(room, next) {
  const { settings } = room
  /** @type {(key: keyof Settings, value: unknown) => boolean} */
  const becomes = (key, value) => next[key] === value && settings[key] !== value
  const { new_users_per_minute: rate, total_active_users: places } = next
  return [
    ...(becomes('queue_all', true) ? [hold(room)] : []),
    ...(becomes('suspended', true) ? [suspended(room)] : []),
    ...(becomes('queueing_method', 'passthrough') ? [passthrough(room)] : []),
    ...(becomes('queueing_method', 'reject') ? [reject(room)] : []),
    ...(becomes('mode', 'observe') ? [observed(room)] : []),
    ...(becomes('new_users_per_minute', 0) ? [stopped(room)] : []),
    ...(becomes('remaining', 0) ? [soldOut(room)] : []),
    ...(becomes('invite_only', true) ? [inviteOnly(room)] : []),
    ...(isMany(rate, settings.new_users_per_minute) ? [fastRate(room, rate)] : []),
    ...(isMany(places, settings.total_active_users) ? [manyPlaces(room, places)] : []),
    ...(next.events ? eventEffects(room, next.events) : []),
  ]
}

/** @param {unknown} next @param {number} now @returns {next is number} */
function isMany(next, now) {
  return typeof next === 'number' && now > 0 && next >= TIMES * now
}

/** Returns how many visitors came lately, in words. @param {Room} room */
function came({ figures }) {
  return `${count(figures.cameLastMinute)} came in the last minute.`
}

/** @param {Room} room @returns {Effect} */
function hold({ name, figures }) {
  const text = `No one new comes into ${name}. The ${count(figures.active)} inside stay, and everyone in line keeps the place: ${count(figures.waiting)}. One press lets the line go on.`
  return { title: 'Hold the line?', text, yes: 'Hold the line', isDanger: false }
}

/** @param {Room} room */
function everyone({ figures }) {
  return `so do the ${count(figures.waiting)} waiting now. ${count(figures.active)} of ${count(figures.totalActiveUsers)} places are taken.`
}

/** @param {Room} room @returns {Effect} */
function suspended(room) {
  const text = `Every visitor goes straight to the site, without any limit, and ${everyone(room)} ${came(room)}`
  return { title: `Suspend ${room.name}?`, text, yes: 'Suspend the room' }
}

/** @param {Room} room @returns {Effect} */
function passthrough(room) {
  const text = `Every visitor passes through to the site, whatever the rate and the places, and ${everyone(room)} ${came(room)}`
  return { title: `Let everyone pass through ${room.name}?`, text, yes: 'Let everyone pass' }
}

/** @param {Room} room @returns {Effect} */
function reject(room) {
  const { waiting, effectiveRatePerMinute: rate } = room.figures
  const text = `There is no line any more: a newcomer who cannot go in at once is rejected. ${came(room)} At most ${count(rate)} a minute may go in. The ${count(waiting)} waiting now keep their places.`
  return { title: `Reject newcomers of ${room.name}?`, text, yes: 'Reject newcomers' }
}

/** @param {Room} room @returns {Effect} */
function observed(room) {
  const text = `The room only counts from now on. Every visitor goes in, without any limit, and ${everyone(room)} ${came(room)}`
  return { title: `Only observe ${room.name}?`, text, yes: 'Only observe' }
}

/** @param {Room} room @returns {Effect} */
function stopped(room) {
  const { active, waiting } = room.figures
  const text = `At a rate of 0 no one new comes in: ${count(waiting)} wait, and the line grows. ${came(room)} The ${count(active)} inside stay.`
  return { title: 'Set the rate to 0?', text, yes: 'Set the rate to 0' }
}

/** @param {Room} room @returns {Effect} */
function soldOut({ figures }) {
  const text = `No one is let in any more, and ${count(figures.waiting)} wait. Those on the way in, ${count(figures.permitsOut)} at most, may still come.`
  return { title: 'Let no one in any more?', text, yes: 'Set the budget to 0' }
}

/** @param {Room} room @returns {Effect} */
function inviteOnly(room) {
  const text = `A newcomer without an invitation is rejected. ${came(room)} The ${count(room.figures.waiting)} waiting now keep their places.`
  return { title: 'Let in invited visitors only?', text, yes: 'Invited visitors only' }
}

/** @param {Room} room @param {number} rate @returns {Effect} */
function fastRate({ settings, figures }, rate) {
  const before = settings.new_users_per_minute
  const free = Math.max(0, figures.totalActiveUsers - figures.active - figures.permitsOut)
  const filled = isFull(figures)
    ? 'Every place is taken, so people come in as others leave.'
    : `${count(free)} places are free: with a line they are full in ${until((60_000 * free) / rate)}.`
  const text = `The rate goes from ${count(before)} to ${count(rate)} a minute, ${count(rate / before)} times as many, and ${count(figures.waiting)} wait. ${filled}`
  return { title: `Let in ${count(rate)} a minute?`, text, yes: `Let in ${count(rate)} a minute` }
}

/** @param {Room} room @param {number} places @returns {Effect} */
function manyPlaces({ settings, figures }, places) {
  const before = settings.total_active_users
  const text = `The places go from ${count(before)} to ${count(places)}, ${count(places / before)} times as many. ${count(figures.active)} are inside and ${count(figures.waiting)} wait: up to ${count(places - figures.active)} more can be inside at once.`
  return { title: `Allow ${count(places)} inside?`, text, yes: `Allow ${count(places)} inside` }
}
