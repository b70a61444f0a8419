// @ts-check
// The origin's health, in words and numbers.
import { $, list, make, say } from './dom.js'
import { count, isOutByHand } from './words.js'

/** @typedef {import('./api.js').Room} Room */
/** @typedef {Room['figures']['health']} Health */
/** @typedef {Health['upstreams'][number]} Upstream */

const BREAKERS = { closed: 'on', open: 'closed off', 'half-open': 'being tried' }

/** @param {Room} room */
export function showHealth({ settings, figures }) {
  const { health } = figures
  say('health-text', wordsOf(health, settings.total_active_users))
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

/** Describes what the room does because of its origin's health. @param {Health} health @param {number} total */
export function wordsOf(health, total) {
  const { mode, reason, ceiling, inside, pins, upstreams } = health
  const pinned = pins.length > 0 ? ` Set by hand: ${pins.join(', ')}.` : ''
  if (mode === 'off') return `Origin health is off.${pinned}`
  const out = upstreams.filter(({ breaker }) => breaker !== 'closed').map(({ name }) => name)
  const shadow = mode === 'shadow' ? ' In shadow mode this changes nothing.' : ''
  if (reason === 'outage') {
    const some =
      inside > 0
        ? ` ${Math.round(100 * inside)} % of those inside go on, the others are held.`
        : ' Those inside are held.'
    const held = inside < 1 ? some : ''
    const end = isOutByHand(health) ? 'until that is taken back' : 'until trials go well'
    return `Out: ${out.join(', ')}. New visitors wait ${end}.${held}${pinned}`
  }
  if (ceiling !== null && ceiling < total)
    return `Slow answers: for now the origin bears about ${count(ceiling)} people inside.${shadow}${pinned}`
  if (out.length > 0) return `Closed off: ${out.join(', ')}. The rest of the site is not affected.${pinned}`
  const back = upstreams.filter(({ back }) => back !== null).map(({ name }) => name)
  if (back.length > 0) return `Coming back, for everyone within a minute: ${back.join(', ')}.${pinned}`
  return `Answers come as they should.${shadow}${pinned}`
}

/** @param {number | null} ms */
function milliseconds(ms) {
  if (ms === null) return '–'
  return ms < 1_000 ? `${count(ms)} ms` : `${count(ms / 1_000)} s`
}
