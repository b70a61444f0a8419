// @ts-check
// Stats, settings and times in words. This file neither touches the page nor reads a clock.

/** @typedef {import('./api.js').Room} Room */
/** @typedef {import('./api.js').Figures} Figures */
/** @typedef {import('./api.js').Change} Change */
/** @typedef {Pick<Room, 'settings' | 'figures' | 'events' | 'now'>} Seen */
/** @typedef {'open' | 'line' | 'held' | 'suspended' | 'observing'} State */

/** @type {(value: number) => string} */
export const count = value => value.toLocaleString('en', { maximumFractionDigits: 1 })
/** For a narrow column: 319K. @type {(value: number) => string} */
export const brief = value => (value < 100_000 ? count(value) : value.toLocaleString('en', { notation: 'compact' }))
/** @type {(room: Seen) => string} */
export const summary = room => `${stateOf(room).word} · ${count(room.figures.waiting)} waiting`

/**
 * Returns the current event that overrides a setting, with its value. Returns null if no event does.
 * @param {Pick<Room, 'events'>} room @param {string} key
 */
export function ofEvent({ events }, key) {
  for (const { name, state, instead } of events) {
    const value = /** @type {Record<string, string | number | boolean | undefined>} */ (instead)[key]
    const isOn = state === 'active' || (state === 'prequeueing' && key === 'message')
    if (isOn && value !== undefined) return { name, value }
  }
  return null
}

/** @param {Seen} room @returns {{ state: State, word: string, text: string }} */
export function stateOf(room) {
  const { settings, figures, events, now } = room
  const held = 'No one new comes in. Everyone in line keeps the place.'
  if (settings.suspended)
    return {
      state: 'suspended',
      word: 'Suspended',
      text: 'Every visitor goes straight to the site, without any limit.',
    }
  if (settings.mode === 'observe')
    return {
      state: 'observing',
      word: 'Observing',
      text: 'Every visitor goes in. The figures show what the room would do.',
    }
  if (settings.queue_all) return { state: 'held', word: 'Held', text: held }
  const coming = events.find(({ state }) => state === 'prequeueing')
  if (coming) {
    const time = until(Date.parse(coming.startsAt) - Date.parse(now))
    const waiting = coming.draw ? ` ${count(coming.draw.entries)} wait for the draw.` : ''
    return { state: 'held', word: 'Before the start', text: `${coming.name} starts in ${time}.${waiting}` }
  }
  if ((ofEvent(room, 'queueing_method')?.value ?? settings.queueing_method) === 'passthrough')
    return { state: 'suspended', word: 'Passing', text: 'Every visitor goes straight to the site, without any limit.' }
  if (figures.remaining === 0)
    return {
      state: 'held',
      word: 'Sold out',
      text: `All of the ${count(settings.remaining ?? 0)} remaining have been let in.`,
    }
  if (figures.health.reason === 'outage' && isOutByHand(figures.health))
    return { state: 'held', word: 'Closed', text: `The origin is closed off by hand. ${held}` }
  if (figures.health.reason === 'outage')
    return { state: 'held', word: 'Outage', text: `The origin does not answer as it should. ${held}` }
  if (figures.held) return { state: 'held', word: 'Held', text: `The rate is 0. ${held}` }
  if (figures.open) return { state: 'open', word: 'Open', text: 'Visitors walk straight in. No one has to wait.' }
  if (isFull(figures))
    return {
      state: 'line',
      word: 'Full',
      text:
        figures.health.reason === 'slow'
          ? `The origin was slow, so fewer people are let in for now. One visitor comes in for each who leaves.`
          : 'Every place is taken. One visitor comes in for each who leaves.',
    }
  const rate = count(figures.effectiveRatePerMinute)
  return { state: 'line', word: 'A line', text: `Visitors come in by turn, up to ${rate} a minute.` }
}

/**
 * Returns whether the operator has blocked every blocked upstream. Then only the operator can unblock them.
 * @param {Figures['health']} health
 */
function isOutByHand({ upstreams }) {
  const out = upstreams.filter(({ breaker }) => breaker !== 'closed')
  return out.length > 0 && out.every(({ pinned }) => pinned)
}

/** @param {Figures} figures */
export function isFull({ active, permitsOut, totalActiveUsers }) {
  return active + permitsOut >= totalActiveUsers
}

/**
 * Returns how long it takes until all visitors now in line are in, at `perMinute` admissions a minute. Visitors who do
 * not show up use no permit.
 * @param {Figures} figures @param {number} perMinute
 */
export function lineTakes({ waiting, showRate }, perMinute) {
  return perMinute > 0 ? duration((waiting * showRate) / perMinute) : null
}

/** @param {number} minutes */
function duration(minutes) {
  if (minutes < 1.5) return 'about a minute'
  if (minutes < 100) return `about ${Math.round(minutes)} min`
  return minutes < 2_880 ? `about ${Math.round(minutes / 60)} h` : `about ${Math.round(minutes / 1_440)} days`
}

/** @param {number} ms */
export function ago(ms) {
  const seconds = Math.max(0, Math.round(ms / 1_000))
  if (seconds < 100) return `${seconds} s ago`
  return seconds < 6_000 ? `${Math.round(seconds / 60)} min ago` : `${Math.round(seconds / 3_600)} h ago`
}

/** Returns how long from now, in words: "12 min", "3 h". @param {number} ms */
export function until(ms) {
  const minutes = Math.max(0, ms / 60_000)
  if (minutes < 1.5) return `${Math.max(0, Math.round(ms / 1_000))} s`
  if (minutes < 100) return `${Math.round(minutes)} min`
  return minutes < 2_880 ? `${Math.round(minutes / 60)} h` : `${Math.round(minutes / 1_440)} days`
}

/**
 * Returns a moment. If it is today, the text is the time, otherwise it contains the date.
 * @param {number} atMs @param {number} nowMs both by one clock
 */
export function moment(atMs, nowMs) {
  const at = new Date(atMs)
  if (at.toDateString() !== new Date(nowMs).toDateString()) return at.toLocaleString()
  return `${at.toLocaleTimeString()}, ${ago(nowMs - atMs)}`
}

/** Returns a setting's value as short text. @param {unknown} value @param {number} [length] */
export function short(value, length = 120) {
  if (typeof value === 'boolean') return value ? 'on' : 'off'
  if (value === '' || value === null || value === undefined) return 'none'
  const text = typeof value === 'number' ? count(value) : JSON.stringify(value)
  return text.length > length ? `${text.slice(0, length - 1)}…` : text
}

/**
 * Returns the request of an operator in words, with a line for each setting.
 * @param {Change['request']} request @returns {string[]}
 */
export function asked(request) {
  if ('set' in request) {
    const set = Object.entries(/** @type {Record<string, unknown>} */ (request.set))
    return set.map(([key, value]) => `${key} → ${short(value)}`)
  }
  if (request.reset === 'all') return ['everything back to the file']
  return request.reset.map(key => `${key} back to the file`)
}
