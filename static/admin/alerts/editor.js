// @ts-check
// Edits the rules of alerts. They are one setting, so all of them are saved together, on top of the version that was
// seen.
import { change, showNote, unnote } from '../change.js'
import { make, say } from '../dom.js'
import { showSource, wayBack } from '../file.js'
import { chosen, news } from '../rooms.js'
import { CONDITIONS } from './words.js'

/** @typedef {import('../api.js').Room} Room */
/** @typedef {import('../../../src/core/alerts/rules.ts').AlertKind} AlertKind */
/**
 * A rule as the operator has typed it.
 * @typedef {{ name: string, when: AlertKind, threshold: string, for: string, pause: string, to: string[] }} Typed
 */

const KEY = 'alerts'
const NEW = /** @type {const} */ ({
  name: '',
  when: 'line_longer_than',
  threshold: '',
  for: '60',
  pause: '900',
  to: [],
})

/** The rules that were typed, by room, with the version and the rules that were in force when typing began. */
/** @type {Map<string, { seen: string, version: string, rules: Typed[] }>} */
const drafts = new Map()

/** Returns the function that shows the editor. @param {HTMLElement} form */
export function editor(form) {
  const [badge, rows, hint, note] = [make('span'), make('ol'), make('p'), make('p')]
  const [add, apply, discard, back] = ['Add a rule', 'Apply the rules', 'Discard', ''].map(text => make('button', text))
  if (!add || !apply || !discard || !back) throw new Error('a button is missing')
  form.className = 'card'
  form.dataset.changes = KEY
  badge.className = 'source'
  rows.className = 'rule-rows'
  note.className = 'note'
  hint.className = 'hint'
  apply.className = 'primary'
  back.className = 'undo'
  for (const button of [add, discard, back]) button.setAttribute('type', 'button')
  const actions = make('div', add, apply, discard, back)
  actions.className = 'actions'
  form.append(make('h2', 'Change the rules ', badge), rows, hint, actions, note)
  const showWayBack = wayBack(back, KEY, { next: add, settle: now => drafts.delete(now.name) })
  /** @type {string[]} */
  let receivers = []
  let written = ''
  /** A number that rises when rows or fields are added or removed. */
  let shape = 0

  add.addEventListener('click', () => {
    edit(rules => [...rules, { ...NEW, to: receivers.slice(0, 1) }], true)
    rows.lastElementChild?.querySelector('select')?.focus()
  })
  discard.addEventListener('click', () => edit(null, true))
  form.addEventListener('submit', event => {
    event.preventDefault()
    const room = chosen()
    const draft = room && drafts.get(room.name)
    if (!room || !draft) return
    const settle = (/** @type {Room} */ now, /** @type {boolean} */ isMade) => {
      if (isMade) drafts.delete(now.name)
      else drafts.set(now.name, { ...draft, seen: inForce(now), version: now.version })
    }
    const request = { set: { alerts: draft.rules.map(toSend) } }
    const advice = 'Your rules are kept: look again, then apply them.'
    change(room, { key: KEY, version: draft.version, request, advice, settle })
  })

  /**
   * Changes the draft, or drops it if `by` is null.
   * @param {((rules: Typed[]) => Typed[]) | null} by @param {boolean} [isOtherShape] whether rows or fields are others
   */
  function edit(by, isOtherShape = false) {
    if (isOtherShape) shape++
    const room = chosen()
    if (!room) return
    const draft = drafts.get(room.name) ?? { seen: inForce(room), version: room.version, rules: typedOf(room) }
    if (by) drafts.set(room.name, { ...draft, rules: by(draft.rules) })
    else drafts.delete(room.name)
    unnote(room, KEY)
    news()
  }

  /** @param {Typed} rule @param {number} at */
  function rowOf(rule, at) {
    const set = (/** @type {Partial<Typed>} */ more) =>
      edit(rules => rules.map((one, index) => (index === at ? { ...one, ...more } : one)), 'when' in more)
    const when = /** @type {HTMLSelectElement} */ (make('select'))
    for (const [kind, { words }] of Object.entries(CONDITIONS)) when.append(new Option(words, kind))
    when.value = rule.when
    when.addEventListener('change', () => set({ when: /** @type {AlertKind} */ (when.value), threshold: '' }))
    const { unit, isMoment } = CONDITIONS[rule.when]
    const remove = make('button', `Remove rule ${at + 1}`)
    Object.assign(remove, { type: 'button', className: 'undo' })
    remove.addEventListener('click', () => edit(rules => rules.filter((_, index) => index !== at), true))
    return make(
      'li',
      labelled('When', when),
      ...(unit === undefined ? [] : [number(`Limit (${unit})`, rule.threshold, threshold => set({ threshold }))]),
      ...(isMoment ? [] : [number('For so many seconds', rule.for, value => set({ for: value }))]),
      ...(isMoment ? [] : [number('Pause in seconds', rule.pause, pause => set({ pause }))]),
      text('Name, if not that of the condition', rule.name, name => set({ name })),
      choices(rule, set),
      remove,
    )
  }

  /** @param {Typed} rule @param {(more: Partial<Typed>) => void} set */
  function choices({ to }, set) {
    const group = make('fieldset', make('legend', 'To'))
    // A receiver that no longer exists can only be removed from a rule.
    for (const name of [...new Set([...receivers, ...to])]) {
      const box = Object.assign(/** @type {HTMLInputElement} */ (make('input')), { type: 'checkbox' })
      box.checked = to.includes(name)
      box.addEventListener('change', () => {
        const all = [...group.querySelectorAll('input')]
        set({ to: all.filter(({ checked }) => checked).map(({ value }) => value) })
      })
      box.value = name
      group.append(make('label', box, name))
    }
    return group
  }

  return (/** @type {Room} */ room, /** @type {string[]} */ names) => {
    receivers = names
    const draft = drafts.get(room.name)
    const rules = draft?.rules ?? typedOf(room)
    // Rows are created again only when their shape changes. Otherwise each key press would take the focus away.
    const wanted = JSON.stringify([room.name, names, shape, draft?.seen ?? inForce(room)])
    if (wanted !== written) writeRows(rows, rules.map(rowOf))
    written = wanted
    say(hint, rules.length === 0 ? 'Without rules no alert is sent.' : '')
    apply.ariaDisabled = String(!draft)
    discard.hidden = !draft
    if (draft && draft.seen === inForce(room)) draft.version = room.version
    showSource(form, room, KEY)
    showWayBack(room)
    showNote(form, room, KEY)
  }
}

/**
 * Replaces the rows. If a condition was just chosen, it keeps the focus.
 * @param {Element} parent @param {Element[]} rows
 */
function writeRows(parent, rows) {
  const focused = [...parent.querySelectorAll('select')].indexOf(
    /** @type {HTMLSelectElement} */ (document.activeElement),
  )
  parent.replaceChildren(...rows)
  if (focused >= 0) parent.querySelectorAll('select')[focused]?.focus()
}

/** @param {Room} room */
function inForce(room) {
  return JSON.stringify(room.settings.alerts)
}

/** @param {Room} room @returns {Typed[]} */
function typedOf({ settings }) {
  return settings.alerts.map(({ name, when, threshold, for: seconds, pause, to }) => ({
    ...{ name: name ?? '', when, threshold: threshold === undefined ? '' : String(threshold) },
    ...{ for: String(seconds), pause: String(pause), to: [...to] },
  }))
}

/** A missing number is left out. Then the API explains that it is required. @param {Typed} rule */
function toSend({ name, when, threshold, for: seconds, pause, to }) {
  const { unit, isMoment } = CONDITIONS[when]
  return {
    ...(name === '' ? {} : { name }),
    when,
    ...(unit === undefined || threshold === '' ? {} : { threshold: Number(threshold) }),
    ...(isMoment || seconds === '' ? {} : { for: Number(seconds) }),
    ...(isMoment || pause === '' ? {} : { pause: Number(pause) }),
    to,
  }
}

/** @param {string} words @param {string} value @param {(value: string) => void} set */
function number(words, value, set) {
  const label = text(words, value, set)
  const box = /** @type {HTMLInputElement} */ (label.querySelector('input'))
  Object.assign(box, { type: 'number', min: '0', step: 'any', inputMode: 'numeric' })
  return label
}

/** @param {string} words @param {string} value @param {(value: string) => void} set */
function text(words, value, set) {
  const box = Object.assign(/** @type {HTMLInputElement} */ (make('input')), { value })
  box.addEventListener('input', () => set(box.value))
  return labelled(words, box)
}

/** @param {string} words @param {HTMLElement} control */
function labelled(words, control) {
  return make('label', words, control)
}
