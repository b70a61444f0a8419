// @ts-check
// Shows the problems in a refusal of the API beside the fields that they are about.
import { make, say } from '../dom.js'

/** @typedef {{ path: string, message: string }} Problem */

/**
 * Shows each problem at the field with its path, or at the nearest field that contains it. Returns the problems that
 * have no field here. The first field with a problem gets the focus.
 * @param {HTMLElement} root @param {Problem[]} problems
 */
export function showProblems(root, problems) {
  clearProblems(root)
  const fields = /** @type {HTMLElement[]} */ ([...root.querySelectorAll('[data-path]')])
  const homeless = problems.filter(({ path, message }) => {
    const around = fields.filter(({ dataset }) => isWithin(path, dataset.path ?? ''))
    const field = around.sort((a, b) => (b.dataset.path ?? '').length - (a.dataset.path ?? '').length)[0]
    if (!field) return true
    mark(field, path === field.dataset.path ? message : `${path} ${message}`)
    return false
  })
  const first = /** @type {HTMLElement | null} */ (root.querySelector('[aria-invalid=true]'))
  for (let part = first?.parentElement; part; part = part.parentElement)
    if (part instanceof HTMLDetailsElement) part.open = true
  first?.focus()
  return homeless
}

/** @param {HTMLElement} root */
export function clearProblems(root) {
  for (const error of /** @type {NodeListOf<HTMLElement>} */ (root.querySelectorAll('.field-error'))) {
    error.hidden = true
    say(error, '')
  }
  for (const box of root.querySelectorAll('[aria-invalid]')) box.removeAttribute('aria-invalid')
}

/** @param {string} path @param {string} around */
function isWithin(path, around) {
  return path === around || path.startsWith(`${around}.`) || path.startsWith(`${around}[`)
}

/** @param {HTMLElement} field @param {string} message */
function mark(field, message) {
  const error = /** @type {HTMLElement} */ (field.querySelector(':scope > .field-error'))
  error.hidden = false
  error.append(make('span', `${message[0]?.toUpperCase()}${message.slice(1)}. `))
  const box = /** @type {HTMLElement | null} */ (field.querySelector('input, select, textarea'))
  box?.setAttribute('aria-invalid', 'true')
}
