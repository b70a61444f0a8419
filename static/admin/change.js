// @ts-check
// Makes one change at a time, on top of the version that the operator saw. A change is shown as done only after the
// server's answer.
import { call, isShutOut, pathOf, reason } from './api.js'
import { questionFor } from './danger.js'
import { announce, confirmed, say, within } from './dom.js'
import { news, takeAnswer } from './rooms.js'
import { ofEvent } from './words.js'

/** @typedef {import('./api.js').Room} Room */
/** @typedef {'busy' | 'good' | 'warn' | 'bad'} Tone */
/**
 * The settings to set, or the settings to reset to the file: one or all.
 * @typedef {{ set: object } | { reset: [string] | 'all' }} Request
 */
/**
 * `key` is the setting beside which the answer is shown. `advice` is shown if another operator changed the room first.
 * Then, and after a successful change, `settle` gets the room as it is now. `isAsked` is true if the operator has
 * already confirmed.
 * @typedef {{ key: string, version: string, request: Request, advice: string, isAsked?: boolean,
 *   settle?: (now: Room, isMade: boolean) => void }} Wanted
 */

const GOOD_SHOWN_MS = 20_000

/**
 * The answers to this operator, by room and setting. @type {Map<string, { tone: Tone, text: string, untilMs: number }>}
 */
const notes = new Map()
let isSending = false
/** @type {(before: Room, request: Request, after: Room) => void} */
let made = () => {}

/** Sets the function that is called after each successful change. @param {typeof made} listener */
export function onMade(listener) {
  made = listener
}

/**
 * Makes a change, after a question if it needs one. Returns the answer of the API. Returns null if the operator
 * declines, or if there is no answer.
 * @param {Room} room @param {Wanted} wanted
 */
export async function change(room, { key, version, request, advice, isAsked = false, settle }) {
  const question = isAsked ? null : questionFor(room, request)
  if (question && !(await confirmed(question))) return null
  if (isSending) {
    note(room, key, 'warn', 'The change before is still on its way. Try again in a moment.')
    return null
  }
  isSending = true
  note(room, key, 'busy', 'Sending…')
  const answer = await send(room, version, request)
  const isOutdated = answer?.status === 412
  const now = isOutdated ? await call(pathOf(room)) : answer
  isSending = false
  unnote(room, key)
  if (isShutOut(answer)) return answer
  if (now?.status === 200) {
    if (!isOutdated) made(room, request, now.body)
    settle?.(now.body, !isOutdated)
    takeAnswer(now.body)
  }
  const event = answer?.status === 200 ? ofEvent(answer.body, key) : null
  if (event) note(room, key, 'warn', `Saved, and in force after ${event.name}: until then the event has its own.`)
  else if (answer?.status === 200) note(room, key, 'good', 'Done. In force everywhere within two seconds.')
  else if (isOutdated) note(room, key, 'warn', `Another operator changed this room, so nothing was applied. ${advice}`)
  else note(room, key, 'bad', reason(answer, key))
  return answer
}

/** @param {Room} room @param {string} version @param {Request} request */
function send(room, version, request) {
  const headers = { 'If-Match': `"${version}"` }
  if ('set' in request) {
    const body = JSON.stringify(request.set)
    return call(pathOf(room), { method: 'PATCH', headers: { ...headers, 'Content-Type': 'application/json' }, body })
  }
  const one = request.reset === 'all' ? '' : `/${encodeURIComponent(request.reset[0])}`
  return call(`${pathOf(room)}/overrides${one}`, { method: 'DELETE', headers })
}

/** @param {Room} room @param {string} key @param {Tone} tone @param {string} text */
function note(room, key, tone, text) {
  const untilMs = tone === 'good' ? Date.now() + GOOD_SHOWN_MS : Number.POSITIVE_INFINITY
  notes.set(`${room.name} ${key}`, { tone, text, untilMs })
  if (tone !== 'busy') announce(text)
  news()
}

/** @param {Room} room @param {string} key */
export function unnote(room, key) {
  notes.delete(`${room.name} ${key}`)
}

/** Returns whether the note reports a problem. @param {ParentNode} parent @param {Room} room @param {string} key */
export function showNote(parent, room, key) {
  const found = notes.get(`${room.name} ${key}`)
  const isNoted = found !== undefined && Date.now() < found.untilMs
  const where = within(parent, '.note')
  where.className = `note ${found?.tone ?? ''}`
  where.hidden = !isNoted
  say(where, isNoted ? found.text : '')
  return isNoted && found.tone === 'bad'
}
