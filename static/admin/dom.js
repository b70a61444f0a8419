// @ts-check
// Reads and writes the page. Unchanged elements are left alone, so that focus, selection and a screen reader's place
// survive.

/** @type {(id: string) => HTMLElement} */
export const $ = id => /** @type {HTMLElement} */ (document.getElementById(id))
/** @type {(id: string) => HTMLInputElement} */
export const input = id => /** @type {HTMLInputElement} */ ($(id))
/** @type {(parent: ParentNode, selector: string) => HTMLElement} */
export const within = (parent, selector) => /** @type {HTMLElement} */ (parent.querySelector(selector))
/** @type {(selector: string) => HTMLElement[]} */
export const all = selector => [.../** @type {NodeListOf<HTMLElement>} */ (document.querySelectorAll(selector))]

/** @param {string | Element} where @param {string} text */
export function say(where, text) {
  const node = typeof where === 'string' ? $(where) : where
  if (node.textContent !== text) node.textContent = text
}

/** Makes a screen reader read a text, even if it is the same text again. @param {string} text */
export function announce(text) {
  const line = make('p', text)
  $('live').append(line)
  setTimeout(() => line.remove(), 10_000)
}

/** @param {string} tag @param {...(Node | string)} children */
export function make(tag, ...children) {
  const node = document.createElement(tag)
  node.append(...children)
  return node
}

/**
 * Returns a control with its label. The control must have an id.
 * @param {string} words @param {HTMLElement} control which has an id
 */
export function labelled(words, control) {
  const label = /** @type {HTMLLabelElement} */ (make('label', words))
  label.htmlFor = control.id
  return make('p', label, control)
}

/**
 * Fills a list with rows of texts. `create` makes a row and sets its number of cells.
 * @param {Element} parent @param {string[][]} rows @param {() => Element} create
 */
export function list(parent, rows, create) {
  while (parent.children.length < rows.length) parent.append(create())
  while (parent.children.length > rows.length) parent.lastElementChild?.remove()
  for (const [row, texts] of rows.entries()) {
    for (const [cell, node] of [...(parent.children[row]?.children ?? [])].entries()) say(node, texts[cell] ?? '')
  }
}

/**
 * Asks before a change that affects many visitors. The question is red if the change is dangerous.
 * @param {{ title: string, texts: string[], yes: string, isDanger?: boolean }} question @returns {Promise<boolean>}
 */
export function confirmed({ title, texts, yes, isDanger = false }) {
  const dialog = /** @type {HTMLDialogElement} */ ($('confirm'))
  dialog.classList.toggle('danger', isDanger)
  say('confirm-title', title)
  $('confirm-text').replaceChildren(...texts.map(text => make('p', text)))
  say('confirm-yes', yes)
  $('confirm-yes').onclick = () => dialog.close('yes')
  $('confirm-no').onclick = () => dialog.close('no')
  dialog.returnValue = ''
  dialog.showModal()
  return new Promise(resolve => {
    dialog.addEventListener('close', () => resolve(dialog.returnValue === 'yes'), { once: true })
  })
}
