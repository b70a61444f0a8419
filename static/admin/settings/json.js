// @ts-check
// All live settings as JSON, for operators who prefer to type them.
import { make, say } from '../dom.js'
import { news } from '../rooms.js'
import { asJson, discardDraft, typedValue, typeSetting } from './draft.js'

/** @typedef {import('../api.js').Room} Room */

const label = /** @type {HTMLLabelElement} */ (make('label', 'All settings that can be changed live, as JSON'))
label.htmlFor = 'settings-json'
const box = /** @type {HTMLTextAreaElement} */ (make('textarea'))
box.id = 'settings-json'
box.rows = 30
box.spellcheck = false
box.setAttribute('aria-describedby', 'settings-json-hint settings-json-error')
const hint = make('p', 'A setting that you take out stays as it is.')
hint.className = 'hint'
hint.id = 'settings-json-hint'
const error = make('p')
error.className = 'field-error'
error.id = 'settings-json-error'
error.role = 'alert'
export const jsonView = make('div', label, box, hint, error)
jsonView.className = 'field json'
jsonView.dataset.least = 'admin'

/** The text that was last written into the box. If the box still contains it, the operator has typed nothing. */
let written = ''
/** @type {{ room: Room, keys: string[] } | null} */
let shown = null

box.addEventListener('input', () => {
  if (!shown) return
  const problem = read(shown.room, box.value)
  say(error, problem ?? '')
  if (problem === null) box.removeAttribute('aria-invalid')
  else box.setAttribute('aria-invalid', 'true')
  news()
})

/**
 * Shows the settings of a room that have these names. A typed text is kept.
 * @param {Room} room @param {string[]} keys
 */
export function showJson(room, keys) {
  const isOther = shown?.room.name !== room.name
  shown = { room, keys }
  const text = JSON.stringify(Object.fromEntries(keys.map(key => [key, typedValue(room, key)])), null, 2)
  if (!isOther && box.value !== written) return
  if (box.value !== text) box.value = text
  written = text
}

/** Forgets the typed text. The next time, the settings in force are shown. */
export function forgetJson() {
  shown = null
  say(error, '')
  box.removeAttribute('aria-invalid')
}

/** Returns the reason why the text is no object of settings, or null. @param {Room} room @param {string} text */
function read(room, text) {
  /** @type {unknown} */
  let given
  try {
    given = JSON.parse(text)
  } catch (error) {
    return `This is not JSON: ${error instanceof Error ? error.message : String(error)}.`
  }
  if (typeof given !== 'object' || given === null || Array.isArray(given)) return 'This must be an object of settings.'
  discardDraft(room)
  for (const [key, value] of Object.entries(given))
    if (asJson(value) !== asJson(typedValue(room, key))) typeSetting(room, key, value)
  return null
}
