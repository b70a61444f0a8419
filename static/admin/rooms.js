// @ts-check
// The rooms and their current state. It is read when a room has news, or every second, and passed to one listener.
import { call, isShutOut, operator, pathOf } from './api.js'
import { announce } from './dom.js'
import { follow, isFollowing, onHint } from './live.js'
import { remember } from './past.js'

/** @typedef {import('./api.js').Room} Room */
/**
 * `settings` are the settings that the role may change.
 * @typedef {{ name: string, role: string, by: 'token' | 'access', settings: string[] }} You
 */

const ALL_ROOMS_EVERY_MS = 10_000
/** While hints arrive, so that a page that is left open seldom wakes the other rooms. */
const ALL_ROOMS_EVERY_QUIET_MS = 60_000
/** For this long a hidden tab goes on reading, and shows the state of its room in its title. */
const HIDDEN_READS_MS = 600_000
const HIDDEN_SECONDS = 15
/** Without a hint a room is read after so many seconds, then after twice as many: its last minute goes by. */
const QUIET_SECONDS = 5
const QUIET_SECONDS_MAX = 60

/** The state at the last read, and any problem with reading. */
export const reading = {
  /** @type {Room[]} */
  rooms: [],
  answeredAtMs: 0,
  /** The server's clock minus this machine's clock at the last answer, in milliseconds. */
  aheadMs: 0,
  trouble: '',
  /** Rooms that did not answer when all rooms were last read. @type {string[]} */
  silent: [],
  /** The name and role of the token, as the server knows it. @type {You | null} */
  you: null,
  /** Problems of the deployment, in words. @type {string[]} */
  notices: [],
}

/** @type {ReturnType<typeof setTimeout> | undefined} */
let timer
/** @type {number | null} */
let hiddenSinceMs = null
/** Counts reads. Only the newest read is used, and none that began before a change was answered. */
let turn = 0
let allRoomsAtMs = 0
let failures = 0
let isReading = false
let isHinted = false
/** How many reads followed one another without a hint. */
let quietReads = 0
/** @type {() => void} */
let listener = () => {}

/** Calls the listener. Must be called after every answer, and when anything else has to be shown again. */
export function news() {
  listener()
}

/** @param {() => void} show */
export function onNews(show) {
  listener = show
}

/** The room that is shown if the address names none. A room that is found later does not replace it. */
let shownName = ''

/** Returns whether the address asks for the table of all rooms. */
export function isOverview() {
  return location.hash === '#overview'
}

/** Returns whether the address asks for the large view of a room, without controls. */
export function isWall() {
  return location.hash.startsWith('#wall/')
}

/**
 * Returns the names in the address: `#room/shop/events?a=1` contains a room, a part of its page, and a query for the
 * part.
 */
function addressed() {
  const [, room = '', part = '', query = ''] =
    /^#(?:room|wall)\/([^/?]+)(?:\/([\w-]+))?(?:\?(.*))?$/.exec(location.hash) ?? []
  return { room, part, query }
}

/** Returns the query in the address. It is for the part that is shown. */
export function chosenQuery() {
  return new URLSearchParams(addressed().query)
}

/** Returns the part of a room's page that the address asks for, or an empty text for the first part. */
export function chosenPart() {
  return addressed().part
}

/** Returns the room that the address names in its fragment. No element has such an id. */
export function chosen() {
  if (isOverview()) return undefined
  const isNamed = (/** @type {string} */ name) => addressed().room === name
  const named = reading.rooms.find(({ name }) => isNamed(name))
  // If the named room does not answer, no other room may be shown instead: the operator would change the wrong room.
  if (!named && reading.silent.some(isNamed)) return undefined
  const room = named ?? reading.rooms.find(({ name }) => name === shownName) ?? reading.rooms[0]
  shownName = room?.name ?? ''
  return room
}

/** Returns the current time by the server's clock. */
export function serverMs() {
  return Date.now() + reading.aheadMs
}

export function stopReading() {
  clearTimeout(timer)
  turn++
  follow(undefined)
}

onHint(isNews => {
  quietReads = 0
  // A read that has begun may have missed the news. An answer that is on its way is not given up for a newer one.
  if (isReading) isHinted = true
  else if (isNews) poll()
  else pollIn(1)
})

export async function poll() {
  clearTimeout(timer)
  if (!operator.isIn) return
  const mine = ++turn
  const room = chosen()
  const everyMs = room && isFollowing(room.name) ? ALL_ROOMS_EVERY_QUIET_MS : ALL_ROOMS_EVERY_MS
  const wantsAll = !room || Date.now() - allRoomsAtMs > everyMs
  isHinted = false
  isReading = true
  const answer = await call(wantsAll ? 'rooms' : pathOf(room))
  if (mine !== turn) return
  isReading = false
  if (answer?.status === 200) return takeAnswer(answer.body)
  if (isShutOut(answer)) return
  if (answer?.status === 404) allRoomsAtMs = 0 // the room no longer exists, so read the list again
  failures++
  const what = answer ? `The server answered ${answer.status}` : 'No answer'
  reading.trouble = `${what}; trying again by itself.`
  if (failures === 3) announce(`The connection is lost. ${reading.trouble}`)
  news()
  pollIn(Math.max(answer?.retryAfterSeconds ?? 0, Math.min(10, 2 ** (failures - 1))))
}

/**
 * Reads again after some seconds. A hidden tab reads rarely, and after some time not at all, so that a forgotten tab
 * keeps no room awake. It reads again when it is shown.
 * @param {number} seconds
 */
function pollIn(seconds) {
  clearTimeout(timer)
  hiddenSinceMs = document.hidden ? (hiddenSinceMs ?? Date.now()) : null
  if (hiddenSinceMs !== null && Date.now() - hiddenSinceMs >= HIDDEN_READS_MS) return
  timer = setTimeout(poll, 1_000 * (document.hidden ? Math.max(HIDDEN_SECONDS, seconds) : seconds))
}

/** A room that does not answer. @typedef {{ name: string, error: string }} Silent */

/** @typedef {{ rooms: (Room | Silent)[], notices: string[], you: You }} AllRooms */

/** @param {Room | AllRooms} body one room, or all of them */
export function takeAnswer(body) {
  turn++
  isReading = false
  if (failures >= 3) announce('The connection is back.')
  failures = 0
  reading.answeredAtMs = Date.now()
  const all = 'rooms' in body ? body.rooms : [body]
  const answered = all.flatMap(room => ('error' in room ? [] : [room]))
  if ('rooms' in body) {
    allRoomsAtMs = reading.answeredAtMs
    reading.notices = body.notices
    reading.you = body.you
    reading.silent = all.flatMap(room => ('error' in room ? [room.name] : []))
    // If a room does not answer, its last state stays on the page.
    reading.rooms = all.flatMap(room =>
      'error' in room ? reading.rooms.filter(({ name }) => name === room.name) : [room],
    )
  } else reading.rooms = reading.rooms.map(room => (room.name === body.name ? body : room))
  for (const room of answered) {
    remember(room)
    reading.aheadMs = Date.parse(room.now) - reading.answeredAtMs
  }
  const isEmpty = reading.rooms.length === 0 && reading.silent.length === 0
  reading.trouble = isEmpty ? 'This deployment has no rooms.' : ''
  news()
  const room = isOverview() ? undefined : chosen()
  follow(room?.name)
  pollIn(room && isFollowing(room.name) ? quietSeconds(room) : 1)
}

/** Returns when to read a room that hints at its news. @param {Room} room */
function quietSeconds({ events }) {
  if (isHinted) return 0
  const turnsMs = events.flatMap(({ prequeueAt, startsAt, endsAt }) => [prequeueAt ?? startsAt, startsAt, endsAt])
  const untilTurnsMs = turnsMs.map(at => Date.parse(at) - serverMs()).filter(ms => ms > 0)
  const seconds = Math.min(QUIET_SECONDS_MAX, QUIET_SECONDS * 2 ** quietReads++)
  return Math.min(seconds, ...untilTurnsMs.map(ms => ms / 1_000 + 0.1))
}
