// @ts-check
// Shows the state of the rooms: the connection, state, stats and doors.
import { showPast } from './chart.js'
import { $, announce, list, make, say } from './dom.js'
import { isFollowing } from './live.js'
import { hrefOf } from './parts.js'
import { pastOf } from './past.js'
import { chosen, isOverview, isWall, reading, serverMs } from './rooms.js'
import { ago, brief, count, isFull, lineTakes, moment, stateOf, summary } from './words.js'

/** @typedef {import('./api.js').Room} Room */
/** @typedef {import('./words.js').State} State */

const STALE_MS = 4_000
/** Each state has a mark as well as a colour. @type {Record<State, string>} */
const MARKS = {
  open: 'M4 12h14M12 6l6 6-6 6',
  line: 'M5 12h.01M12 12h.01M19 12h.01',
  held: 'M8 5v14M16 5v14',
  suspended: 'M5 5l14 14M5 19 19 5',
  observing: 'M2 12s4-6 10-6 10 6 10 6-4 6-10 6S2 12 2 12M12 12h.01',
}

let isStateOutOfSight = false
let announcedState = ''

/** While the state itself is scrolled out of sight, the header shows it. */
export function followScroll() {
  const rootMargin = '-60px 0px 0px' // this part of the screen is under the header
  const follow = (/** @type {IntersectionObserverEntry[]} */ [entry]) => {
    isStateOutOfSight = entry?.isIntersecting === false
    showConnection()
  }
  new IntersectionObserver(follow, { rootMargin }).observe($('state'))
}

export function showConnection() {
  const { answeredAtMs, trouble, silent } = reading
  const missing = silent.length > 0 ? `No answer from ${silent.join(' and ')}; trying again by itself.` : ''
  const ageMs = Date.now() - answeredAtMs
  const isLive = trouble === '' && (ageMs < STALE_MS || isFollowing(chosen()?.name))
  if (answeredAtMs > 0) say('updated', isLive ? 'Live' : `Last updated ${ago(ageMs)}.`)
  $('connection').classList.toggle('live', isLive)
  const room = chosen()
  say('aside', trouble || missing || (room && isStateOutOfSight ? summary(room) : ''))
}

/** Shows the name and role of the token or login. */
export function showOperator() {
  const { you } = reading
  say('operator', you ? `${you.name} · ${you.role}` : '')
}

export function showNotices() {
  const { notices } = reading
  $('notices').hidden = notices.length === 0
  list(
    $('notice-list'),
    notices.map(notice => [notice]),
    () => make('li', make('span')),
  )
}

/** @param {Room | undefined} current */
export function showRooms(current) {
  const { rooms } = reading
  $('rooms').hidden = rooms.length < 2 && current === rooms[0]
  const parent = $('room-links')
  list(
    parent,
    rooms.map(room => [room.name, summary(room)]),
    () => make('a', make('strong'), make('span')),
  )
  for (const [index, room] of rooms.entries()) {
    const link = /** @type {HTMLAnchorElement} */ (parent.children[index])
    link.href = hrefOf(room)
    link.dataset.state = stateOf(room).state
    link.ariaCurrent = room === current ? 'page' : null
  }
  $('to-overview').hidden = rooms.length < 2
  $('to-overview').ariaCurrent = isOverview() ? 'page' : null
  showWall(current)
}

/** Shows the link to the large view of a room, or the link back. @param {Room | undefined} current */
function showWall(current) {
  const link = /** @type {HTMLAnchorElement} */ ($('wall'))
  $('app').classList.toggle('wall', isWall() && current !== undefined)
  link.hidden = current === undefined
  link.href = `#${isWall() ? 'room' : 'wall'}/${current?.name}`
  say(link, isWall() ? 'Leave the wall' : 'Wall')
}

/** @param {Room} room */
export function showState(room) {
  const { name, settings } = room
  const { state, word, text } = stateOf(room)
  document.title = `${summary(room)} · ${name}`
  say('room-name', name)
  say('room-route', settings.host === '*' ? `every host, ${settings.path}` : settings.host + settings.path)
  $('app').dataset.state = state
  $('state-mark').setAttribute('d', MARKS[state])
  say('state-word', word)
  say('state-text', text)
  say('state-since', sinceWords(room))
  if (announcedState !== '' && announcedState !== name + word) announce(`${name}: ${word}. ${text}`)
  announcedState = name + word
}

/** Returns since when the room is open, held or has a line. Returns nothing if its settings let every visitor pass. */
function sinceWords(/** @type {Room} */ room) {
  const { state } = stateOf(room)
  const { sinceMs } = room.figures
  if (sinceMs === null || state === 'suspended' || state === 'observing') return ''
  return `Since ${moment(sinceMs, serverMs())}.${state === 'line' ? newcomers(room) : ''}`
}

/**
 * Returns how many newcomers came lately, if the rate causes the line. The forecast is based on the same number.
 * @param {Room} room
 */
function newcomers({ figures }) {
  return isFull(figures) ? '' : ` ${count(figures.cameLastMinute)} came in the last minute.`
}

/** @param {Room} room */
export function showFigures({ name, version, settings, figures }) {
  const { active, waiting, effectiveRatePerMinute: rate } = figures
  const { totalActiveUsers: total } = figures
  const { new_users_per_minute: set } = settings
  const admitted = pastOf(name).at(-1)?.admitted.value ?? 0
  const takes = lineTakes(figures, rate > 0 ? admitted : 0)
  say('inside', count(active))
  say('inside-of', `of ${count(total)} places`)
  $('inside-bar').style.width = `${Math.min(100, Math.round((100 * active) / total))}%`
  say('waiting', count(waiting))
  say('waiting-of', waiting === 0 ? 'no line' : takes ? `${takes} long` : 'not moving')
  say('admitted', count(admitted))
  say('admitted-of', rate > 0 ? `of ${count(rate)} allowed` : 'the rate is 0 now')
  say('version', version)
  say('standing', count(figures.standing))
  say('permits-out', count(figures.permitsOut))
  say('effective', `${count(rate)} a minute${rate === set ? '' : `, ${count(set)} set`}`)
  say('admitted-total', count(figures.totals.admitted ?? 0))
  showPast(name, 'inside')
  showPast(name, 'waiting')
  showPast(name, 'admitted')
}

/** @param {Room} room */
export function showDetails({ figures }) {
  const doors = [...figures.doors].sort((a, b) => a.name.localeCompare(b.name, 'en', { numeric: true }))
  const rows = doors.map(({ name, active, permitsOut, standing, admitted, heardMsAgo }) => {
    return [name, ...[active, permitsOut, standing, admitted].map(brief), ago(heardMsAgo).replace(' ago', '')]
  })
  const head = /** @type {HTMLTableCellElement} */ (make('th'))
  head.scope = 'row'
  list($('doors'), rows, () => make('tr', head.cloneNode(), ...Array.from({ length: 5 }, () => make('td'))))
  $('doors-none').hidden = rows.length > 0
  $('doors-table').hidden = rows.length === 0
  const lanes = figures.lanes.map(({ name, share, waiting, standing, admitted }) => {
    return [name, `${Math.round(100 * share)} %`, ...[waiting, standing, admitted].map(brief)]
  })
  list($('lanes'), lanes, () => make('tr', head.cloneNode(), ...Array.from({ length: 4 }, () => make('td'))))
  $('lanes-part').hidden = lanes.length === 0
  const counters = [
    ...Object.entries(figures.totals).map(([name, total]) => [name.replaceAll('_', ' '), count(total)]),
    ['permits in the bank', count(figures.permitsBanked)],
    ['burst', count(figures.burst)],
    ...(figures.remaining === null ? [] : [['left of the budget', count(figures.remaining)]]),
    ['called visitors who show up', `${Math.round(100 * figures.showRate)} %`],
  ]
  list($('counters'), counters, () => make('div', make('dt'), make('dd')))
}
