// @ts-check
// Where a setting's value comes from, and the reset to the deployed file: of one setting, or of all.
import { change, showNote } from './change.js'
import { questionFor } from './danger.js'
import { $, all, confirmed, make, say, within } from './dom.js'
import { chosen } from './rooms.js'
import { short } from './words.js'

/** @typedef {import('./api.js').Room} Room */
/**
 * `next` gets the focus when the button disappears.
 * @typedef {{ next: HTMLElement, note?: string, settle?: (now: Room) => void }} Back
 */

const FROM = { live: 'set live', file: 'from the file', default: 'default' }
const ADVICE = 'Look again, then go back to the file.'

/**
 * Shows where a setting comes from, as a badge on its card.
 * @param {ParentNode} card @param {Room} room @param {string} key
 */
export function showSource(card, room, key) {
  const source = room.sources[key] ?? 'default'
  const badge = within(card, '.source')
  badge.className = `source ${source}`
  say(badge, `${key}, ${FROM[source]}`)
}

/**
 * Returns the button that resets one setting. It is shown while the setting is set live, with the value of the file.
 * @param {HTMLElement} button @param {string} key @param {Back} back
 */
export function wayBack(button, key, { next, note = key, settle }) {
  button.addEventListener('click', async () => {
    const room = chosen()
    if (!room) return
    const settled = (/** @type {Room} */ now, /** @type {boolean} */ isMade) => {
      if (!isMade) return
      if (document.activeElement === button) next.focus()
      settle?.(now)
    }
    const { version } = room
    await change(room, { key: note, version, request: { reset: [key] }, advice: ADVICE, settle: settled })
  })
  return (/** @type {Room} */ room) => {
    button.hidden = room.sources[key] !== 'live'
    say(button, `Back to the file (${short(Reflect.get(room.file, key), 40)})`)
    button.ariaLabel = `${button.textContent}: ${key}`
  }
}

/** Returns the list of all settings that are set live. A setting without a card gets its reset button here. */
export function overrides() {
  const button = $('back-to-file')
  const carded = new Set(all('[data-setting], [data-switch]').map(({ dataset }) => dataset.setting ?? dataset.switch))
  /** @type {Map<string, { row: HTMLElement, show: (room: Room) => void }>} */
  const rows = new Map()
  button.addEventListener('click', async () => {
    const room = chosen()
    const live = room ? setLive(room).join(', ') : ''
    if (!room || live === '') return
    /** @type {import('./change.js').Request} */
    const request = { reset: 'all' }
    const effects = questionFor(room, request)
    const text = `The deployed file is in force again. These live settings are undone: ${live}.`
    const question = {
      title: `Take ${room.name} back to the file?`,
      texts: [text, ...(effects?.texts ?? [])],
      yes: 'Back to the file',
      isDanger: effects?.isDanger ?? false,
    }
    if (!(await confirmed(question))) return
    await change(room, { key: 'overrides', version: room.version, request, advice: ADVICE, isAsked: true })
  })
  return (/** @type {Room} */ room) => {
    const live = setLive(room)
    button.ariaDisabled = String(live.length === 0)
    const none = 'Nothing is set live: the deployed file is in force.'
    say('overrides-text', live.length === 0 ? none : `Set live: ${live.join(', ')}.`)
    const others = live.filter(key => !carded.has(key))
    for (const [key, { row }] of rows) {
      if (others.includes(key)) continue
      row.remove()
      rows.delete(key)
    }
    for (const key of others) {
      const found = rows.get(key) ?? newRow(key, button)
      rows.set(key, found)
      if (!found.row.isConnected) $('overrides-list').append(found.row)
      say(within(found.row, 'span'), `${key} is ${short(Reflect.get(room.settings, key))}`)
      found.show(room)
    }
    showNote($('overrides'), room, 'overrides')
  }
}

/** @param {string} key @param {HTMLElement} next */
function newRow(key, next) {
  const button = /** @type {HTMLButtonElement} */ (make('button'))
  button.type = 'button'
  button.className = 'undo'
  const row = make('li', make('span'), button)
  row.dataset.changes = key
  return { row, show: wayBack(button, key, { next, note: 'overrides' }) }
}

/** @param {Room} room */
function setLive({ sources }) {
  return Object.keys(sources).filter(key => sources[key] === 'live')
}
