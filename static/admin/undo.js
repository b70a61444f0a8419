// @ts-check
// The undo of the last change in this tab. It is offered for ten minutes, as long as the setting still has the value of
// that change.
import { change } from './change.js'
import { $, say } from './dom.js'
import { chosen, serverMs } from './rooms.js'
import { ago, short } from './words.js'

/** @typedef {import('./api.js').Room} Room */
/** @typedef {import('./change.js').Request} Request */
/**
 * `request` undoes the change. `after` has the changed settings as JSON, and `what` describes the change.
 * @typedef {{ keys: string[], request: Request, after: string, what: string, atMs: number }} Undo
 */

const UNDO_FOR_MS = 600_000
const ADVICE = 'Look again before you undo.'
/** A budget begins anew whenever its number is set. So setting the old number would not undo a change. */
const ONE_WAY = 'remaining'

/** The last change of each room. @type {Map<string, Undo>} */
const undos = new Map()

export function undoControl() {
  $('undo').addEventListener('click', async () => {
    const room = chosen()
    const undo = room && undos.get(room.name)
    if (!room || !undo) return
    const settle = (/** @type {Room} */ _, /** @type {boolean} */ isMade) => isMade && undos.delete(room.name)
    const key = undo.keys[0] ?? 'overrides'
    await change(room, { key, version: room.version, request: undo.request, advice: ADVICE, settle })
  })
}

/**
 * Notes a change that was made. @param {Room} before @param {Request} request @param {Room} after
 */
export function noteChange(before, request, after) {
  const keys = keysOf(request, before)
  const way = wayBack(keys, before)
  if (way === null || valuesOf(before, keys) === valuesOf(after, keys)) return void undos.delete(before.name)
  const what = keys.map(key => `${key}${fromTo(before, after, key)}`).join(', ')
  undos.set(before.name, { keys, request: way, after: valuesOf(after, keys), what, atMs: serverMs() })
}

/** @param {Room} room */
export function showUndo(room) {
  const undo = undos.get(room.name)
  const ageMs = undo ? serverMs() - undo.atMs : 0
  const isOffered = undo !== undefined && ageMs < UNDO_FOR_MS && valuesOf(room, undo.keys) === undo.after
  $('undo-part').hidden = !isOffered
  if (isOffered) say('undo-text', `You changed ${undo.what}, ${ago(ageMs)}.`)
}

/** @param {Request} request @param {Room} before @returns {string[]} */
function keysOf(request, before) {
  if ('set' in request) return Object.keys(request.set)
  return request.reset === 'all'
    ? Object.keys(before.sources).filter(key => before.sources[key] === 'live')
    : request.reset
}

/**
 * Returns the one request that undoes a change, or null if there is none. A single setting that came from the file is
 * reset. Other settings are set again.
 * @param {string[]} keys @param {Room} before @returns {Request | null}
 */
function wayBack(keys, before) {
  const [first] = keys
  if (first === undefined || keys.includes(ONE_WAY)) return null
  if (keys.length === 1 && before.sources[first] !== 'live') return { reset: [first] }
  return { set: Object.fromEntries(keys.map(key => [key, Reflect.get(before.settings, key)])) }
}

/** @param {Room} room @param {string[]} keys */
function valuesOf(room, keys) {
  return JSON.stringify(keys.map(key => Reflect.get(room.settings, key)))
}

/**
 * Returns the old and the new value of a setting in words. A list or an object would be too long.
 * @param {Room} before @param {Room}
 * after @param {string} key
 */
function fromTo(before, after, key) {
  const values = [before, after].map(room => Reflect.get(room.settings, key))
  if (values.some(value => typeof value === 'object' && value !== null)) return ''
  const [from, to] = values.map(value => short(value, 60))
  return ` from ${from} to ${to}`
}
