// @ts-check
// Fields for settings that are typed. The typed text is kept for each room until it is applied or discarded. News of
// the room never overwrite it.
import { change, showNote, unnote } from './change.js'
import { say, within } from './dom.js'
import { showSource, wayBack } from './file.js'
import { chosen, news } from './rooms.js'
import { count, isFull, ofEvent, short } from './words.js'

/** @typedef {import('./api.js').Room} Room */
/**
 * @typedef {'new_users_per_minute' | 'total_active_users' | 'message' | 'queueing_method' | 'shuffle_window'
 *   | 'remaining'} Typed
 */
/**
 * A typed text. `seen` and `version` are the value and the version that were in force when the operator began to type.
 * @typedef {{ seen: string, typed: string, version: string }} Draft
 */

const MESSAGE_MAX = 1_000
const ADVICE = 'Your text is kept: look again, then apply it.'

const METHODS = new Map([
  ['fifo', 'First come, first served.'],
  ['random', 'Visitors who come within one window are drawn by lot. Those who wait already stay ahead of them.'],
  ['passthrough', 'Every visitor goes straight to the site, without any limit. A held line still holds.'],
  ['reject', 'No line: a visitor who cannot go in at once is rejected. Those who wait already keep their places.'],
])

/** The hint below a field, for the typed value. @type {Record<Typed, (typed: string, room: Room) => string>} */
const HINTS = {
  new_users_per_minute(typed, room) {
    if (typed === '0') return 'Zero holds the line.'
    const { figures } = room
    if (isFull(figures)) return 'Every place is taken: people come in as others leave, whatever the rate.'
    return figures.waiting === 0 ? 'No one is waiting.' : `${count(figures.waiting)} are waiting.`
  },
  queueing_method: typed => METHODS.get(typed) ?? '',
  shuffle_window: () =>
    'Those who come within it are drawn together: a longer one is fairer, and they wait longer for their number.',
  remaining(typed, { settings, figures }) {
    if (typed === '') return 'Empty: as many as come. A number lets so many in from now on, and no one after them.'
    const left = figures.remaining === null ? '' : ` ${count(figures.remaining)} are left.`
    const then = settings.when_sold_out === 'reject' ? 'see that nothing is left' : 'wait'
    return `After them all others ${then}.${left}`
  },
  total_active_users: (_, { figures }) => `${count(figures.active)} are inside. A lower number sends no one away.`,
  message(typed) {
    const over = typed.length - MESSAGE_MAX
    const length = `${count(typed.length)} of ${count(MESSAGE_MAX)} characters`
    return over > 0 ? `${length}: ${count(over)} too many.` : `${length}. Empty shows none.`
  },
}

/** If a message has a text for each language, it is edited as JSON. @param {unknown} value */
function textOf(value) {
  return typeof value === 'object' && value !== null ? JSON.stringify(value, null, 1) : String(value ?? '')
}

/** @param {Typed} key @param {string} typed @returns {unknown} */
function toSend(key, typed) {
  if (key !== 'message' || !typed.startsWith('{')) return typed
  try {
    return JSON.parse(typed)
  } catch {
    return typed
  }
}

/** Returns the function that shows the field. @param {HTMLElement} form */
export function field(form) {
  const key = /** @type {Typed} */ (form.dataset.setting)
  const box = /** @type {HTMLInputElement} */ (form.querySelector('input, textarea, select'))
  const [apply, discard] = [within(form, '[type=submit]'), within(form, '[type=reset]')]
  /** @type {Map<string, Draft>} */
  const drafts = new Map()
  /** @type {(room: Room) => string} */
  const inForce = room => textOf(room.settings[key]).replaceAll('\r\n', '\n')
  /** @param {Room} room */
  const draftOf = room => {
    const draft = drafts.get(room.name) ?? { seen: inForce(room), typed: inForce(room), version: room.version }
    drafts.set(room.name, draft)
    return draft
  }
  /** @param {string | null} typed null for the value in force */
  const type = typed => {
    const room = chosen()
    if (!room) return
    if (typed === null) drafts.delete(room.name)
    else draftOf(room).typed = typed
    unnote(room, key)
    news()
  }
  /**
   * Setting a budget starts it again, even if the number is the same.
   * @param {{ typed: string, seen: string }} draft
   */
  const isToApply = ({ typed, seen }) => typed !== seen || (key === 'remaining' && typed !== '')
  const showWayBack = wayBack(within(form, '.undo'), key, { next: box, settle: now => drafts.delete(now.name) })

  box.addEventListener('input', () => type(box.value))
  form.addEventListener('reset', event => {
    event.preventDefault()
    type(null)
    box.focus()
  })
  form.addEventListener('click', ({ target }) => {
    const by = target instanceof HTMLElement ? target.dataset.to : undefined
    if (by !== undefined) type(by)
  })
  form.addEventListener('submit', async event => {
    event.preventDefault()
    const room = chosen()
    const draft = room && draftOf(room)
    if (!room || !draft || !isToApply(draft)) return
    const isNumber = box.type === 'number'
    // An empty number is sent as text. If a number is required, the API's refusal explains it.
    const value =
      isNumber && draft.typed === '' && key === 'remaining'
        ? null
        : isNumber && draft.typed !== ''
          ? Number(draft.typed)
          : toSend(key, draft.typed)
    draft.typed = textOf(value)
    const settle = (/** @type {Room} */ now) => {
      draft.seen = inForce(now)
      draft.version = now.version
    }
    await change(room, { key, version: draft.version, request: { set: { [key]: value } }, advice: ADVICE, settle })
  })
  return (/** @type {Room} */ room) => {
    form.hidden = form.dataset.with !== undefined && form.dataset.with !== room.settings.queueing_method
    const draft = draftOf(room)
    if (draft.typed === draft.seen) draft.typed = draft.seen = inForce(room)
    // If another operator has changed another setting, this change need not be refused.
    if (draft.seen === inForce(room)) draft.version = room.version
    const isChanged = draft.typed !== draft.seen
    if (box.value !== draft.typed) box.value = draft.typed
    box.ariaInvalid = String(showNote(form, room, key))
    apply.ariaDisabled = String(!isToApply(draft))
    discard.hidden = !isChanged
    const event = ofEvent(room, key)
    const own = isChanged ? ` In force: ${short(room.settings[key])}` : ''
    const now = event ? ` In force by the event ${event.name}: ${short(event.value)}` : own
    say(within(form, '.hint'), HINTS[key](draft.typed, room) + now)
    showSource(form, room, key)
    showWayBack(room)
    showSteps(form, box, draft.typed === '' ? Number(draft.seen) : Number(draft.typed))
  }
}

/** @param {HTMLElement} form @param {HTMLInputElement} box @param {number} from */
function showSteps(form, box, from) {
  for (const button of /** @type {NodeListOf<HTMLElement>} */ (form.querySelectorAll('.step'))) {
    const to = step(from, Number(button.dataset.direction), box)
    button.dataset.to = String(to)
    say(button, `${button.dataset.direction === '1' ? '+' : '−'} ${count(Math.abs(to - from))}`)
    button.ariaLabel = `${button.textContent}, to ${count(to)}`
  }
}

/**
 * Returns the next round number. A step is about a tenth of the value: 1, 2 or 5 times a power of ten.
 * @param {number} from @param {number} direction @param {HTMLInputElement} box
 */
function step(from, direction, box) {
  const tenth = Math.max(1, from / 10)
  const power = 10 ** Math.floor(Math.log10(tenth))
  const size = power * (tenth >= 5 * power ? 5 : tenth >= 2 * power ? 2 : 1)
  const to = direction > 0 ? size * (Math.floor(from / size) + 1) : size * (Math.ceil(from / size) - 1)
  return Math.min(Number(box.max), Math.max(Number(box.min), to))
}
