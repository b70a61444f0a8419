// @ts-check
// Which rooms there are and how they stand: read every second, told to whoever listens.
import { call, isShutOut, operator, pathOf } from './api.js'
import { announce } from './dom.js'
import { remember } from './past.js'

/** @typedef {import('./api.js').Room} Room */

const ALL_ROOMS_EVERY_MS = 10_000

/** What was read last, and what is wrong with reading. */
export const reading = {
  /** @type {Room[]} */
  rooms: [],
  heardAtMs: 0,
  /** The server's clock less this machine's, as of the last answer. */
  aheadMs: 0,
  trouble: '',
  /** Rooms that did not answer when all were read last. @type {string[]} */
  silent: [],
  /** What is wrong with the deployment, in words. @type {string[]} */
  notices: [],
}

/** @type {ReturnType<typeof setTimeout> | undefined} */
let timer
/** Of several reads under way only the newest is told, and none that began before a change was answered. */
let turn = 0
let allRoomsAtMs = 0
let failures = 0
/** @type {() => void} */
let listener = () => {}

/** Called after every answer, and for anything else that must be shown anew. */
export function news() {
  listener()
}

/** @param {() => void} show */
export function onNews(show) {
  listener = show
}

/** The room that was shown where the address names none: another one that is heard of later does not take its place. */
let shownName = ''

/** The address says which, by a fragment that is never an element's id. */
export function chosen() {
  const isNamed = (/** @type {string} */ name) => location.hash === `#room/${name}`
  const named = reading.rooms.find(({ name }) => isNamed(name))
  // Of a room that does not answer no other takes the place: an operator would change it unasked.
  if (!named && reading.silent.some(isNamed)) return undefined
  const room = named ?? reading.rooms.find(({ name }) => name === shownName) ?? reading.rooms[0]
  shownName = room?.name ?? ''
  return room
}

/** Now, by the server's clock. */
export function serverMs() {
  return Date.now() + reading.aheadMs
}

export function stopReading() {
  clearTimeout(timer)
  turn++
}

export async function poll() {
  clearTimeout(timer)
  if (operator.token === '') return
  const mine = ++turn
  const room = chosen()
  const wantsAll = !room || Date.now() - allRoomsAtMs > ALL_ROOMS_EVERY_MS
  const answer = await call(wantsAll ? 'rooms' : pathOf(room))
  if (mine !== turn) return
  if (answer?.status === 200) return hear(answer.body)
  if (isShutOut(answer)) return
  if (answer?.status === 404) allRoomsAtMs = 0 // the room is gone: look which there are
  failures++
  const what = answer ? `The server answered ${answer.status}` : 'No answer'
  reading.trouble = `${what}; trying again by itself.`
  if (failures === 3) announce(`The connection is lost. ${reading.trouble}`)
  news()
  pollIn(Math.max(answer?.retryAfterSeconds ?? 0, Math.min(10, 2 ** (failures - 1))))
}

/** @param {number} seconds */
function pollIn(seconds) {
  clearTimeout(timer)
  timer = setTimeout(poll, 1_000 * (document.hidden ? Math.max(15, seconds) : seconds))
}

/** One that does not answer. @typedef {{ name: string, error: string }} Silent */

/** @param {Room | { rooms: (Room | Silent)[], notices: string[] }} body one room, or all of them */
export function hear(body) {
  turn++
  if (failures >= 3) announce('The connection is back.')
  failures = 0
  reading.heardAtMs = Date.now()
  const all = 'rooms' in body ? body.rooms : [body]
  const heard = all.flatMap(room => ('error' in room ? [] : [room]))
  if ('rooms' in body) {
    allRoomsAtMs = reading.heardAtMs
    reading.notices = body.notices
    reading.silent = all.flatMap(room => ('error' in room ? [room.name] : []))
    // A room that does not answer is shown as it was last.
    reading.rooms = all.flatMap(room =>
      'error' in room ? reading.rooms.filter(({ name }) => name === room.name) : [room],
    )
  } else reading.rooms = reading.rooms.map(room => (room.name === body.name ? body : room))
  for (const room of heard) {
    remember(room)
    reading.aheadMs = Date.parse(room.now) - reading.heardAtMs
  }
  const isEmpty = reading.rooms.length === 0 && reading.silent.length === 0
  reading.trouble = isEmpty ? 'This deployment has no rooms.' : ''
  news()
  pollIn(1)
}
