// @ts-check
// Settings that are on or off. A switch asks for a confirmation before it turns on, but not before it turns off.
import { change, showNote } from './change.js'
import { say, within } from './dom.js'
import { showSource, wayBack } from './file.js'
import { chosen } from './rooms.js'

/** @typedef {import('./api.js').Room} Room */
/** @typedef {'queue_all' | 'suspended'} Flag */

/** Returns a function that shows the switch. @param {HTMLElement} card */
export function flag(card) {
  const key = /** @type {Flag} */ (card.dataset.switch)
  const button = within(card, '[role=switch]')
  const showWayBack = wayBack(within(card, '.undo'), key, { next: button })
  button.addEventListener('click', async () => {
    const room = chosen()
    if (!room) return
    const { version, settings } = room
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
