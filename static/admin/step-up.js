// @ts-check
// Raises a limit by a tenth. Five minutes later it shows the effect on the line and the origin.
import { change } from './change.js'
import { $, all, announce, say } from './dom.js'
import { chosen, serverMs } from './rooms.js'
import { count, moment } from './words.js'

/** @typedef {import('./api.js').Room} Room */
/** @typedef {'new_users_per_minute' | 'total_active_users'} Limit */
/**
 * The state of the origin and the line at one moment.
 * @typedef {{ apdex: number | null, growsPerMinute: number | null }} Seen
 */

const FACTOR = 1.1
const LOOK_AFTER_MS = 300_000
/** The effect stays on the page for this long. */
const SHOWN_FOR_MS = 900_000
const ADVICE = 'Look again before you step up.'

/**
 * The last raise of a limit in each room.
 * @type {Map<string, { what: string, atMs: number, before: Seen, isAnnounced: boolean }>}
 */
const steps = new Map()

export function stepUpControls() {
  for (const button of all('.step-up')) {
    button.addEventListener('click', async () => {
      const room = chosen()
      if (!room) return
      const key = /** @type {Limit} */ (button.dataset.steps)
      const to = next(room, key)
      const settle = (/** @type {Room} */ now, /** @type {boolean} */ isMade) => {
        if (isMade)
          steps.set(now.name, {
            what: `${key} to ${count(to)}`,
            atMs: serverMs(),
            before: seenIn(room),
            isAnnounced: false,
          })
      }
      await change(room, { key, version: room.version, request: { set: { [key]: to } }, advice: ADVICE, settle })
    })
  }
}

/** @param {Room} room */
export function showSteps(room) {
  for (const button of all('.step-up')) {
    const key = /** @type {Limit} */ (button.dataset.steps)
    button.hidden = room.settings[key] <= 0
    say(button, `Step up by 10 %, to ${count(next(room, key))}`)
  }
  const step = steps.get(room.name)
  const ageMs = step ? serverMs() - step.atMs : 0
  const isShown = step !== undefined && ageMs < SHOWN_FOR_MS
  $('step-note').hidden = !isShown
  if (!isShown) return
  const isDue = ageMs >= LOOK_AFTER_MS
  const text = isDue
    ? `Look again: ${outcome(step.before, seenIn(room))} since you stepped ${step.what}.`
    : `You stepped ${step.what}. Look again at ${moment(step.atMs + LOOK_AFTER_MS, serverMs()).split(',')[0]}.`
  say('step-note', text)
  if (isDue && !step.isAnnounced) announce(text)
  step.isAnnounced ||= isDue
}

/** @param {Room} room @param {Limit} key */
function next({ settings }, key) {
  return Math.max(settings[key] + 1, Math.round(settings[key] * FACTOR))
}

/** @param {Room} room @returns {Seen} */
function seenIn({ figures }) {
  const apdex = figures.health.upstreams[0]?.apdex ?? null
  return { apdex, growsPerMinute: figures.forecast.kind === 'moves' ? figures.forecast.growsPerMinute : null }
}

/** @param {Seen} before @param {Seen} now */
function outcome(before, now) {
  const apdex = (/** @type {number | null} */ value) => (value === null ? 'unknown' : value.toFixed(2))
  const line = (/** @type {number | null} */ value) =>
    value === null ? 'standing still' : `${value > 0 ? '+' : ''}${count(value)} a minute`
  const origin = `Apdex went from ${apdex(before.apdex)} to ${apdex(now.apdex)}`
  return `${origin}, and the line from ${line(before.growsPerMinute)} to ${line(now.growsPerMinute)}`
}
