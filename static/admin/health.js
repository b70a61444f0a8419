// @ts-check
// The origin's health, in words and numbers.
import { $, list, make, say } from './dom.js'
import { serverMs } from './rooms.js'
import { count, until } from './words.js'

/** @typedef {import('./api.js').Room} Room */
/** @typedef {Room['figures']['health']} Health */
/** @typedef {Health['upstreams'][number]} Upstream */

const BREAKERS = { closed: 'on', open: 'blocked', 'half-open': 'being tried' }

/** @param {Room} room */
export function showHealth({ settings, figures }) {
  const { health } = figures
  say('health-text', wordsOf(health, settings.total_active_users, serverMs()))
  const rows = health.upstreams.map(upstream => [
    upstream.name === 'origin' ? 'The origin' : upstream.name,
    breakerWords(upstream),
    milliseconds(upstream.p50Ms),
    milliseconds(upstream.p95Ms),
    upstream.apdex === null ? '–' : upstream.apdex.toFixed(2),
    upstream.failures === null ? '–' : `${count(100 * upstream.failures)} %`,
  ])
  const head = /** @type {HTMLTableCellElement} */ (make('th'))
  head.scope = 'row'
  list($('health-rows'), rows, () => make('tr', head.cloneNode(), ...Array.from({ length: 5 }, () => make('td'))))
}

/** @param {Upstream} upstream */
function breakerWords({ breaker, back, pinned }) {
  if (back !== null) return `on for ${Math.round(100 * back)} %`
  return BREAKERS[breaker] + (pinned ? ', by hand' : '')
}

/**
 * Describes the state of the origin, since when it lasts, what the room does about it, and what ends that.
 * @param {Health} health @param {number} total @param {number} nowMs by the server's clock
 */
export function wordsOf(health, total, nowMs) {
  const { mode, pins } = health
  const pinned = pins.length > 0 ? ` Set by hand: ${pins.join(', ')}.` : ''
  const shadow = mode === 'shadow' ? ' In shadow mode this changes nothing.' : ''
  if (mode === 'off') return `Origin health is off.${pinned}`
  return `${stateWords(health, total, nowMs)}${shadow}${pinned}`
}

/** @param {Health} health @param {number} total @param {number} nowMs */
function stateWords(health, total, nowMs) {
  const { state, sinceMs, ends, nextTrialMs, raisedFromMs, inside, ceiling, there, upstreams } = health
  const since = sinceMs === null ? '' : ` since ${clock(sinceMs)}`
  const blocked =
    inside > 0
      ? ` ${Math.round(100 * inside)} % of those inside go on, the others are blocked.`
      : ' Those inside are blocked.'
  const out = upstreams.filter(({ breaker }) => breaker !== 'closed').map(({ name }) => name)
  if (state === 'down') {
    const end =
      ends === 'operator'
        ? 'until that is taken back'
        : nextTrialMs === null
          ? 'while it is tried with a few visitors'
          : `until the next trial, in ${until(nextTrialMs - nowMs)}`
    return `Down${since}: ${out.join(', ')}. New visitors wait ${end}.${inside < 1 ? blocked : ''}`
  }
  const others = out.length > 0 ? ` Blocked: ${out.join(', ')}. The rest of the site is not affected.` : ''
  if (state === 'slowed') {
    const limit =
      ceiling === null || ceiling >= total ? '' : ` at most ${count(ceiling)} people may be there; ${count(there)} are.`
    const rise =
      raisedFromMs !== null && raisedFromMs > nowMs
        ? ` More are let in from ${clock(raisedFromMs)} on, if answers stay good.`
        : ' More are let in while answers stay good.'
    return `Slowed${since}:${limit || ' those inside come back little by little.'}${answersNow(health)}${rise}${inside < 1 ? blocked : ''}${others}`
  }
  const back = upstreams.filter(({ back }) => back !== null).map(({ name }) => name)
  if (back.length > 0) return `Coming back, for everyone within a minute: ${back.join(', ')}.`
  return `Well${since}.${answersNow(health)}${others}`
}

/** Describes the answers of the last minute. @param {Health} health */
function answersNow({ upstreams }) {
  const origin = upstreams[0]
  if (!origin || origin.samples === 0) return ' No answers in the last minute.'
  const failures = origin.failures ? `, ${count(100 * origin.failures)} % failed` : ''
  return ` In the last minute 95 % came within ${milliseconds(origin.p95Ms)}${failures}.`
}

/** @param {number} atMs */
function clock(atMs) {
  return new Date(atMs).toLocaleTimeString()
}

/** @param {number | null} ms */
function milliseconds(ms) {
  if (ms === null) return '–'
  return ms < 1_000 ? `${count(ms)} ms` : `${count(ms / 1_000)} s`
}
