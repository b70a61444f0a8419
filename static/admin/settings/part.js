// @ts-check
// The settings of a room as a form, in the groups of the documentation, or as JSON. Nothing is saved before a review.
import { change, showNote, unnote } from '../change.js'
import { make, say, within } from '../dom.js'
import { showSource, wayBack } from '../file.js'
import { button, fieldFor } from '../form/fields.js'
import { clearProblems, showProblems } from '../form/problems.js'
import { readSchema } from '../form/schema.js'
import { elementOf } from '../parts.js'
import { chosen, news } from '../rooms.js'
import { asJson, discardDraft, draftOf, inForce, overtaken, typedValue, typeSetting } from './draft.js'
import { fixedSettings, showFixed } from './fixed.js'
import { forgetJson, jsonView, showJson } from './json.js'
import { reviewed } from './review.js'

/** @typedef {import('../api.js').Room} Room */
/** @typedef {import('../form/schema.js').Schema} Schema */
/**
 * A setting on the page, with the value that its field shows, as JSON. @typedef
 * {{ card: HTMLElement, place: HTMLElement, shown: string, back: (room: Room) => void }} Row
 */

const ADVICE = 'Your values are kept. Review them again: the review shows what is in force now.'
/** Settings for which another part of the page is made. */
const ELSEWHERE = ['events']
const LOCKED = new Map([['cookie_attributes.secure', 'belongs to the file: change the file and deploy']])

export const settingsPart = { name: 'settings', title: 'Settings', show: showSettings }

/** @type {Map<string, Row>} */
const rows = new Map()
/** @type {Schema | null} */
let schema = null
let isReading = false
let roomName = ''
let isJson = false
const groups = make('div')
groups.className = 'setting-groups'
const waiting = make('p', 'Reading what settings there are...')
const bar = makeBar()
const tabs = makeTabs()

/** @param {Room} room */
function showSettings(room) {
  const part = elementOf('settings')
  if (part.children.length === 0) part.append(make('h1', 'Settings'), waiting)
  if (!schema) return void read(part)
  const isOther = room.name !== roomName
  roomName = room.name
  if (isOther) clearProblems(groups)
  for (const [key, row] of rows) showRow(room, key, row, isOther)
  showFixed(room)
  groups.hidden = isJson
  jsonView.hidden = !isJson
  showJson(room, [...rows.keys(), ...ELSEWHERE])
  showBar(room)
}

/** @param {HTMLElement} part */
async function read(part) {
  if (isReading) return
  isReading = true
  schema = await readSchema()
  isReading = false
  say(waiting, schema ? '' : 'The API does not answer, so the settings cannot be shown yet.')
  if (!schema) return
  waiting.remove()
  groups.append(...schema.groups.flatMap(groupOf), fixedSettings())
  part.append(tabs, groups, jsonView, bar)
  news()
}

/** @param {Schema['groups'][number]} group */
function groupOf({ title, settings }) {
  const keys = settings.filter(key => !ELSEWHERE.includes(key))
  if (keys.length === 0) return []
  const cards = keys.map(key => {
    const card = make('div')
    card.dataset.changes = key
    card.className = 'setting'
    const source = make('span')
    source.className = 'source'
    const undo = button('', () => {})
    undo.className = 'undo'
    const place = make('div')
    card.append(place, make('p', source), undo)
    const settle = (/** @type {Room} */ now) => typeSetting(now, key, inForce(now, key))
    rows.set(key, { card, place, shown: '', back: wayBack(undo, key, { next: card, note: 'settings', settle }) })
    return card
  })
  const head = make('summary', make('strong', title), make('span', keys.join(', ')))
  const fields = make('div', ...cards)
  fields.className = 'settings'
  const details = make('details', head, fields)
  details.className = 'card'
  return [details]
}

/** @param {Room} room @param {string} key @param {Row} row @param {boolean} isOther */
function showRow(room, key, row, isOther) {
  const value = typedValue(room, key)
  const isNews = asJson(value) !== row.shown
  if (isOther || (isNews && !row.place.contains(document.activeElement))) {
    row.place.replaceChildren(fieldOf(room, key, value))
    row.shown = asJson(value)
  }
  row.card.classList.toggle('changed', Object.hasOwn(draftOf(room).values, key))
  showSource(row.card, room, key)
  row.back(room)
}

/** @param {Room} room @param {string} key @param {unknown} value */
function fieldOf(room, key, value) {
  const node = schema?.properties[key] ?? {}
  const lock = (/** @type {string} */ path) => LOCKED.get(path)
  return fieldFor({ path: key, label: key, node, isRequired: true, lock }, value, typed => {
    const now = chosen()
    if (now?.name !== room.name) return
    typeSetting(now, key, typed)
    const row = rows.get(key)
    if (row) row.shown = asJson(typedValue(now, key))
    unnote(now, 'settings')
    news()
  })
}

function makeTabs() {
  const choose = (/** @type {boolean} */ json) => () => {
    isJson = json
    forgetJson()
    for (const [index, node] of [form, raw].entries()) node.ariaPressed = String(json === (index === 1))
    news()
  }
  const form = button('Form', choose(false))
  const raw = button('JSON', choose(true))
  form.ariaPressed = 'true'
  raw.ariaPressed = 'false'
  const tabs = make('div', form, raw)
  tabs.className = 'actions'
  return tabs
}

function makeBar() {
  const note = make('p')
  note.className = 'note'
  const save = button('Review and save', review)
  save.className = 'primary'
  const actions = make('div', save, button('Discard', discard))
  actions.className = 'actions'
  const bar = make('section', make('p'), note, actions)
  bar.className = 'save-bar card'
  bar.ariaLabel = 'Your changes'
  return bar
}

/** @param {Room} room */
function showBar(room) {
  const keys = Object.keys(draftOf(room).values)
  const others = overtaken(room)
  const conflict = others.length > 0 ? ` Another operator has changed ${others.join(', ')} meanwhile.` : ''
  say(within(bar, 'p'), keys.length === 0 ? 'Nothing is changed.' : `Not saved yet: ${keys.join(', ')}.${conflict}`)
  for (const node of bar.querySelectorAll('button')) node.ariaDisabled = String(keys.length === 0)
  showNote(bar, room, 'settings')
}

async function review() {
  const room = chosen()
  if (!room || Object.keys(draftOf(room).values).length === 0) return
  // The review shows the values of this version.
  const { version } = room
  if (!(await reviewed(room))) return
  clearProblems(groups)
  const request = { set: draftOf(room).values }
  const settle = (/** @type {Room} */ now, /** @type {boolean} */ isMade) => {
    if (!isMade) return
    discardDraft(now)
    forgetJson()
  }
  const answer = await change(room, { key: 'settings', version, request, advice: ADVICE, isAsked: true, settle })
  if (answer?.status === 422 && !isJson) showProblems(groups, answer.body.problems ?? [])
}

function discard() {
  const room = chosen()
  if (!room) return
  discardDraft(room)
  unnote(room, 'settings')
  clearProblems(groups)
  forgetJson()
  // The button has the focus, so no field has it. So every field is written again.
  news()
}
