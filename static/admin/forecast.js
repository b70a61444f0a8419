// @ts-check
// The forecast of the line, beside the values in force and beside a value that is being typed.
import { call, pathOf } from './api.js'
import { all, say, within } from './dom.js'
import { chosen, news, serverMs } from './rooms.js'
import { count } from './words.js'

/** @typedef {import('./api.js').Room} Room */
/** @typedef {import('../../src/core/history/forecast.ts').Forecast} Forecast */

const ASKED_AFTER_MS = 300
const AGAIN_AFTER_MS = 5_000

const STOPPED = {
  outage: 'The origin is out: no one comes in, and no one can foresee for how long.',
  held: 'The line stands still until it is let go.',
  'before-start': 'The line begins to move with the start of the event.',
  'sold-out': 'Nothing is left of the budget: no one comes in.',
  'rate-0': 'At a rate of 0 the line stands still.',
}

/** The forecasts of typed values, by the query. @type {Map<string, { forecast: Forecast | null, atMs: number }>} */
const known = new Map()
/** @type {ReturnType<typeof setTimeout> | undefined} */
let timer

/** Shows the forecast of each field of a limit, for its typed value. @param {Room} room */
export function showForecasts(room) {
  const hasLine = room.figures.waiting > 0
  say('forecast', forecastWords(room.figures.forecast, hasLine, serverMs()))
  for (const form of all('form[data-foresees]')) {
    const key = form.dataset.setting ?? ''
    const box = /** @type {HTMLInputElement} */ (within(form, 'input'))
    const forecast = forecastFor(room, key, box.value)
    const isTyped = box.value !== '' && box.value !== String(Reflect.get(room.settings, key))
    say(
      within(form, '.forecast'),
      isTyped && forecast ? `With ${count(Number(box.value))}: ${forecastWords(forecast, hasLine, serverMs())}` : '',
    )
  }
}

/**
 * Returns the forecast of a typed value, null until it is known.
 * @param {Room} room @param {string} key @param {string} typed
 */
function forecastFor(room, key, typed) {
  if (typed === '' || typed === String(Reflect.get(room.settings, key))) return null
  const asked = `${pathOf(room)}/forecast?${new URLSearchParams({ [key]: typed })}`
  const found = known.get(asked)
  if (!found || Date.now() - found.atMs > AGAIN_AFTER_MS) ask(asked)
  return found?.forecast ?? null
}

/** Fetches a forecast once the operator stops typing for a moment. @param {string} asked */
function ask(asked) {
  clearTimeout(timer)
  timer = setTimeout(
    async () => {
      const answer = await call(asked)
      known.clear()
      known.set(asked, { forecast: answer?.status === 200 ? answer.body : null, atMs: Date.now() })
      if (chosen()) news()
    },
    known.has(asked) ? 0 : ASKED_AFTER_MS,
  )
}

/** @param {Forecast} forecast @param {boolean} hasLine whether people wait now @param {number} nowMs */
function forecastWords(forecast, hasLine, nowMs) {
  if (forecast.kind === 'stopped') return STOPPED[forecast.why]
  const { emptyInMs, growsPerMinute, wait, soldOutInMs } = forecast
  const waits = wait
    ? wait.highMs < 60_000
      ? ''
      : ` A newcomer waits ${range(wait)}.`
    : ' A newcomer waits more than a day.'
  if (soldOutInMs !== null) return `The budget is used up at ${clock(nowMs + soldOutInMs, nowMs)}.${waits}`
  if (emptyInMs === 0) return 'At this rate no line forms.'
  if (!hasLine && growsPerMinute > 0)
    return `If as many come as in the last minute, a line forms and grows by ${count(growsPerMinute)} a minute.`
  if (emptyInMs !== null) return `At this rate the line is empty at ${clock(nowMs + emptyInMs, nowMs)}.${waits}`
  const grows = growsPerMinute > 0 ? `it grows by ${count(growsPerMinute)} a minute` : 'not within a day'
  return `At this rate the line does not become empty: ${grows}.${waits}`
}

/** Returns two numbers with one unit: "22 to 27 min". @param {{ lowMs: number, highMs: number }} wait */
function range({ lowMs, highMs }) {
  const isHours = highMs >= 100 * 60_000
  const unit = isHours ? 3_600_000 : 60_000
  const round = (/** @type {number} */ ms) => (isHours ? Math.round((10 * ms) / unit) / 10 : Math.round(ms / unit))
  const [low, high] = [Math.max(isHours ? 0.1 : 1, round(lowMs)), Math.max(1, round(highMs))]
  return `${low === high ? `about ${count(high)}` : `${count(low)} to ${count(high)}`} ${isHours ? 'h' : 'min'}`
}

/**
 * Returns a time of day. If the day is not today, the text contains the day.
 * @param {number} atMs @param {number} nowMs
 */
function clock(atMs, nowMs) {
  const at = new Date(atMs)
  const time = at.toLocaleTimeString([], { hour: '2-digit', minute: '2-digit', hourCycle: 'h23' })
  return at.toDateString() === new Date(nowMs).toDateString()
    ? time
    : `${time} ${at.toLocaleDateString([], { weekday: 'long' })}`
}
