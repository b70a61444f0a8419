// @ts-check
// Disables the controls that the operator's role does not include, and shows the reason beside them. The API refuses
// such changes in any case. The controls in an element with `data-setting`, `data-switch` or `data-changes` change the
// setting of that name. `data-least` names the lowest role that may use the controls in an element.
import { all, make } from './dom.js'
import { reading } from './rooms.js'

const ROLES = ['viewer', 'operator', 'admin']
const PARTS = '[data-setting], [data-switch], [data-changes], [data-least]'
const CONTROLS = 'button, input, select, textarea'

let reasons = 0

/** Must be called after the controls were shown, because some controls may be new. */
export function showRights() {
  const { you } = reading
  if (!you) return
  for (const part of all(PARTS)) limit(part, mayUse(you, part.dataset), you.role)
}

/** @param {import('./rooms.js').You} you @param {DOMStringMap} of */
function mayUse({ role, settings }, of) {
  const key = of.setting ?? of.switch ?? of.changes
  if (key !== undefined && !settings.includes(key)) return false
  return of.least === undefined || ROLES.indexOf(role) >= ROLES.indexOf(of.least)
}

/** @param {HTMLElement} part @param {boolean} isAllowed @param {string} role */
function limit(part, isAllowed, role) {
  const found = part.querySelector(':scope > .not-yours')
  if (isAllowed && !found) return
  const reason = found ?? make('p', `Your role, ${role}, does not include this. An admin may change it.`)
  if (!found) {
    reason.className = 'hint not-yours'
    reason.id = `not-yours-${++reasons}`
    part.append(reason)
  }
  for (const control of part.querySelectorAll(CONTROLS))
    disable(/** @type {HTMLButtonElement} */ (control), !isAllowed, reason)
  if (isAllowed) reason.remove()
}

/** @param {HTMLButtonElement} control @param {boolean} isDisabled @param {Element} reason */
function disable(control, isDisabled, reason) {
  if (control.disabled === isDisabled) return
  control.disabled = isDisabled
  control.title = isDisabled ? (reason.textContent ?? '') : ''
  const others = (control.getAttribute('aria-describedby') ?? '').split(' ').filter(id => id !== '' && id !== reason.id)
  const ids = isDisabled ? [...others, reason.id] : others
  if (ids.length > 0) control.setAttribute('aria-describedby', ids.join(' '))
  else control.removeAttribute('aria-describedby')
}
