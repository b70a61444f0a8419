// @ts-check
// The operator's controls of origin health: its mode, the ceiling, pinned limits, and blocked parts of the site.
import { call, isShutOut, pathOf, reason } from './api.js'
import { change, showNote } from './change.js'
import { $, announce, confirmed, input, make, say, within } from './dom.js'
import { wayBack } from './file.js'
import { chosen, poll } from './rooms.js'
import { count } from './words.js'

/** @typedef {import('./api.js').Room} Room */
/** @typedef {'enforce' | 'shadow' | 'off'} Mode */

const ADVICE = 'Look again, then decide.'
/** @type {Record<Mode, string>} */
const MODES = {
  enforce: 'The room lowers admissions by itself when the origin is slow or down.',
  shadow: 'The room only notes what it would have done.',
  off: 'The room listens to nothing, and forgets what it knew.',
}

/** Returns a function that shows the controls. */
export function healthControls() {
  const card = $('health-controls')
  const mode = /** @type {HTMLSelectElement} */ ($('health-mode'))
  const backs = [
    wayBack($('health-mode-undo'), 'health', { next: mode, note: 'health' }),
    wayBack($('health-pins-undo'), 'health_pins', { next: input('pin-rate'), note: 'health' }),
  ]
  mode.addEventListener('change', () => changeMode(/** @type {Mode} */ (mode.value)))
  $('lift-ceiling').addEventListener('click', lift)
  $('apply-pins').addEventListener('click', applyPins)
  return (/** @type {Room} */ room) => {
    const { settings, figures } = room
    if (document.activeElement !== mode) mode.value = settings.health.mode
    say('health-mode-hint', MODES[settings.health.mode])
    $('lift-ceiling').hidden = figures.health.ceiling === null
    const { new_users_per_minute: rate, total_active_users: places } = settings.health_pins
    for (const [id, value] of /** @type {const} */ ([
      ['pin-rate', rate],
      ['pin-places', places],
    ]))
      if (document.activeElement !== $(id)) input(id).value = value === null ? '' : `${value}`
    showBlocks(room)
    for (const show of backs) show(room)
    showNote(card, room, 'health')
  }
}

/** @param {Mode} mode */
async function changeMode(mode) {
  const room = chosen()
  if (!room) return
  const isDanger = mode !== 'enforce'
  const question = { title: `Set origin health to ${mode}?`, texts: [MODES[mode]], yes: `Set to ${mode}`, isDanger }
  if (await confirmed(question)) await set(room, { health: { ...room.settings.health, mode } })
  else await poll()
}

async function applyPins() {
  const room = chosen()
  if (!room) return
  const rate = numberIn('pin-rate')
  const places = numberIn('pin-places')
  const words = [
    rate === null ? 'the rate is not pinned' : `at most ${count(rate)} a minute`,
    places === null ? 'the places are not pinned' : `at most ${count(places)} inside`,
  ]
  const text = `${words.join(', ')}. This wins over what health finds, until it is taken back.`
  if (!(await confirmed({ title: 'Pin the limits?', texts: [text], yes: 'Pin the limits' }))) return
  const { breakers } = room.settings.health_pins
  await set(room, { health_pins: { new_users_per_minute: rate, total_active_users: places, breakers } })
}

/** @param {string} id */
function numberIn(id) {
  const { value } = input(id)
  return value.trim() === '' ? null : Number(value)
}

/** Shows one button for each part of the site. @param {Room} room */
function showBlocks(room) {
  const parent = $('health-blocks')
  const names = room.figures.health.upstreams.map(({ name }) => name)
  while (parent.children.length > names.length) parent.lastElementChild?.remove()
  while (parent.children.length < names.length) {
    const button = /** @type {HTMLButtonElement} */ (make('button'))
    button.type = 'button'
    button.addEventListener('click', () => block(button.dataset.upstream ?? ''))
    parent.append(make('li', button))
  }
  for (const [index, name] of names.entries()) {
    const button = /** @type {HTMLButtonElement} */ (within(/** @type {Element} */ (parent.children[index]), 'button'))
    button.dataset.upstream = name
    say(button, `${isBlocked(room, name) ? 'Unblock' : 'Block'} ${name === 'origin' ? 'the origin' : name}`)
  }
}

/** @param {Room} room @param {string} name */
function isBlocked({ settings }, name) {
  return Object.hasOwn(settings.health_pins.breakers, name) && settings.health_pins.breakers[name] === 'open'
}

/** @param {string} name */
async function block(name) {
  const room = chosen()
  if (!room || name === '') return
  const { breakers, ...limits } = room.settings.health_pins
  const blocked = isBlocked(room, name)
  const part = name === 'origin' ? 'The whole site is' : `${name} is`
  const { active, waiting } = room.figures
  const closed = `${part} answered for by the room until you unblock it. Sessions and places are kept: ${count(active)} are inside, and ${count(waiting)} wait.`
  const question = blocked
    ? { title: `Unblock ${name}?`, texts: [`${part} open to all visitors again, at once.`], yes: 'Unblock' }
    : { title: `Block ${name}?`, texts: [closed], yes: 'Block', isDanger: true }
  if (!(await confirmed(question))) return
  const others = Object.fromEntries(Object.entries(breakers).filter(([other]) => other !== name))
  await set(room, { health_pins: { ...limits, breakers: blocked ? others : { ...others, [name]: 'open' } } })
}

async function lift() {
  const room = chosen()
  if (!room) return
  const text = `The room forgets that the origin bears ${count(room.figures.health.ceiling ?? 0)} people, and lets in as many as the settings allow. It lowers that again by itself if the origin gets slow.`
  if (!(await confirmed({ title: 'Lift the ceiling?', texts: [text], yes: 'Lift the ceiling', isDanger: true }))) return
  const answer = await call(`${pathOf(room)}/health/ceiling`, { method: 'DELETE' })
  if (isShutOut(answer)) return
  announce(answer?.status === 204 ? 'The ceiling is lifted.' : reason(answer, 'health'))
  await poll()
}

/** @param {Room} room @param {object} settings */
async function set(room, settings) {
  const request = { set: settings }
  await change(room, { key: 'health', version: room.version, request, advice: ADVICE, isAsked: true })
}
