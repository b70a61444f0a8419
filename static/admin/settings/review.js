// @ts-check
// The review of a change before it is saved: the difference in each setting, and the effects in numbers.
import { questionFor } from '../danger.js'
import { make, say } from '../dom.js'
import { button } from '../form/fields.js'
import { difference, shortened } from './diff.js'
import { draftOf, inForce, overtaken } from './draft.js'

/** @typedef {import('../api.js').Room} Room */

const dialog = /** @type {HTMLDialogElement} */ (make('dialog'))
dialog.className = 'review'
const title = make('h2')
title.id = 'review-title'
dialog.setAttribute('aria-labelledby', title.id)
const effects = make('div')
const changes = make('div')
changes.className = 'diffs'
changes.tabIndex = 0
changes.role = 'region'
changes.ariaLabel = 'The changes, line by line'
const yes = button('Save', () => dialog.close('yes'))
yes.className = 'primary'
const actions = make(
  'div',
  button('Cancel', () => dialog.close('')),
  yes,
)
actions.className = 'actions'
dialog.append(title, effects, changes, actions)

/** Returns whether the operator wants to save the draft. @param {Room} room @returns {Promise<boolean>} */
export function reviewed(room) {
  if (!dialog.isConnected) document.body.append(dialog)
  const { values } = draftOf(room)
  const keys = Object.keys(values)
  const others = overtaken(room)
  const question = questionFor(room, { set: values })
  dialog.classList.toggle('danger', question?.isDanger ?? false)
  say(title, `${keys.length === 1 ? 'Change 1 setting' : `Change ${keys.length} settings`} of ${room.name}?`)
  say(yes, keys.length === 1 ? 'Save the setting' : 'Save the settings')
  const warnings = [
    ...(others.length > 0 ? [`Another operator changed ${others.join(', ')} after you began to type.`] : []),
    ...(question?.texts ?? []),
  ]
  effects.replaceChildren(...warnings.map(text => make('p', text)))
  changes.replaceChildren(...keys.flatMap(key => [make('h3', key), linesFor(inForce(room, key), values[key])]))
  dialog.returnValue = ''
  dialog.showModal()
  return new Promise(resolve => {
    dialog.addEventListener('close', () => resolve(dialog.returnValue === 'yes'), { once: true })
  })
}

/** @param {unknown} before @param {unknown} after */
function linesFor(before, after) {
  const tags = { '-': 'del', '+': 'ins', ' ': 'span' }
  const lines = shortened(difference(before, after)).map(({ mark, text }) => make(tags[mark], `${mark} ${text}\n`))
  const block = make('pre', ...lines)
  block.className = 'diff'
  return block
}
