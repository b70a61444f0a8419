// @ts-check
// All rooms in one table: first the rooms in trouble, then those with the longest waits.
import { $, make, say } from './dom.js'
import { isOverview, reading } from './rooms.js'
import { count, stateOf, until } from './words.js'

/** @typedef {import('./api.js').Room} Room */

const ORIGIN = { well: 'Well', slowed: 'Slowed', down: 'Down' }
/**
 * For each state of a room, how urgently it needs an operator.
 * @type {Record<ReturnType<typeof stateOf>['state'], number>}
 */
const CONCERN = { held: 3, line: 2, suspended: 1, observing: 1, open: 0 }

/** Shows the table if the address asks for it. */
export function showOverview() {
  const { rooms, silent } = reading
  const isShown = isOverview()
  $('all-rooms').hidden = !isShown
  const waiting = rooms.reduce((sum, { figures }) => sum + figures.waiting, 0)
  say('rooms-total', `${count(waiting)} waiting`)
  if (!isShown) return
  document.title = `${count(waiting)} waiting \u00b7 all rooms`
  const answering = rooms.filter(({ name }) => !silent.includes(name)).sort(byTrouble)
  $('overview-rows').replaceChildren(...silent.map(silentRow), ...answering.map(row))
  const sum = (/** @type {(room: Room) => number} */ of) => rooms.reduce((total, room) => total + of(room), 0)
  say('overview-waiting', count(waiting))
  say('overview-inside', `${count(sum(room => room.figures.active))} of ${count(sum(placesOf))}`)
  say('overview-rate', `${count(sum(room => room.figures.admittedLastMinute))} a minute`)
}

/** @param {Room} a @param {Room} b */
function byTrouble(a, b) {
  return concernOf(b) - concernOf(a) || (b.figures.waitMs ?? 0) - (a.figures.waitMs ?? 0)
}

/** @param {Room} room */
function concernOf(room) {
  const { state } = room.figures.health
  if (state !== 'well') return state === 'down' ? 5 : 4
  return CONCERN[stateOf(room).state]
}

/** @param {Room} room */
function row(room) {
  const { figures } = room
  const { state, word } = stateOf(room)
  const { active, waiting, waitMs, admittedLastMinute, effectiveRatePerMinute: rate, health } = figures
  const since = figures.sinceMs === null ? '' : ` for ${until(Date.parse(room.now) - figures.sinceMs)}`
  const wait = waitMs === null ? 'stands still' : waitMs === 0 ? 'none' : until(waitMs)
  const used = rate > 0 ? `${Math.round((100 * admittedLastMinute) / rate)} % of ${count(rate)}` : 'the rate is 0'
  const cells = [cell(count(waiting)), cell(wait)]
  const wide = [cell(`${count(active)} of ${count(placesOf(room))}`, 'wide'), cell(used, 'wide')]
  return make('tr', head(room.name, state, word + since), ...cells, ...wide, cell(ORIGIN[health.state]))
}

/** @param {string} name */
function silentRow(name) {
  return make(
    'tr',
    head(name, 'held', 'No answer'),
    cell('\u2013'),
    cell('\u2013'),
    cell('\u2013', 'wide'),
    cell('\u2013', 'wide'),
    cell('\u2013'),
  )
}

/** @param {string} name @param {string} state @param {string} words */
function head(name, state, words) {
  const link = /** @type {HTMLAnchorElement} */ (make('a', name))
  link.href = `#room/${name}`
  const th = /** @type {HTMLTableCellElement} */ (make('th', link, make('small', words)))
  th.scope = 'row'
  th.dataset.state = state
  return th
}

/** @param {string} text @param {string} [name] a class */
function cell(text, name = '') {
  const td = make('td', text)
  td.className = name
  return td
}

/** @param {Room} room */
function placesOf({ figures }) {
  return figures.totalActiveUsers
}
