// @ts-check
// Settings that are on or off. A switch asks before it turns on, and turns off at once.
import { change, showNote } from './change.js'
import { confirmed, say, within } from './dom.js'
import { showSource, wayBack } from './file.js'
import { chosen } from './rooms.js'
import { count } from './words.js'

/** @typedef {import('./api.js').Room} Room */
/** @typedef {'queue_all' | 'suspended'} Flag */

/** @type {Record<Flag, (room: Room) => [title: string, text: string, yes: string]>} */
const QUESTIONS = {
  queue_all: ({ name, figures }) => [
    'Hold the line?',
    `No one new comes into ${name}. The ${count(figures.active)} inside stay, and everyone in line keeps the place. One press lets the line go on.`,
    'Hold the line',
  ],
  suspended: ({ name, figures }) => [
    `Suspend ${name}?`,
    `Every visitor goes straight to the site, without any limit, and so do the ${count(figures.waiting)} waiting now.`,
    'Suspend the room',
  ],
}

/** Returns the function that shows the switch. @param {HTMLElement} card */
export function flag(card) {
  const key = /** @type {Flag} */ (card.dataset.switch)
  const button = within(card, '[role=switch]')
  /** @param {Room} room @param {boolean} isOn the state after the change */
  const question = (room, isOn) => (isOn && !room.settings[key] ? QUESTIONS[key](room) : undefined)
  const showWayBack = wayBack(within(card, '.undo'), key, {
    next: button,
    question: room => question(room, room.file[key]),
  })
  button.addEventListener('click', async () => {
    const room = chosen()
    if (!room) return
    const { version, settings } = room
    const asked = question(room, !settings[key])
    if (asked && !(await confirmed(asked))) return
    await change(room, {
      key,
      version,
      request: { set: { [key]: !settings[key] } },
      advice: 'Look again, then switch.',
    })
  })
  return (/** @type {Room} */ room) => {
    const isOn = room.settings[key]
    button.ariaChecked = String(isOn)
    say(within(button, '.word'), isOn ? 'On' : 'Off')
    showSource(card, room, key)
    showWayBack(room)
    showNote(card, room, key)
  }
}
