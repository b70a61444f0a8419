// @ts-check
// Counts down to the start of an event, on a page that was opened before the start. The syntax is that of 2019, as on
// the waiting page.
;(() => {
  /** @typedef {{ startsAt: string, startsInSeconds: number | null, draw: object | null }} Event */
  /** @typedef {{ event: Event | null, drawAt: string | null, position: number | null, called: boolean }} Place */

  const element = (/** @type {string} */ id) => /** @type {HTMLElement} */ (document.getElementById(id))
  const room = element('room')
  /** @type {typeof import('./texts/en.json').start & { locales: string[] }} */
  const texts = JSON.parse(element('start-texts').textContent || '')
  // The start by performance.now(), which is not affected if the visitor's clock is changed. 0 once the event has
  // started.
  let startsAtMs = 0
  // The screen reader announces when this many minutes are left. The other number counts the announcements so far.
  const SAID_MINUTES = [15, 5, 1]
  let saidMinutes = 0

  const set = (/** @type {string} */ id, /** @type {string} */ text) => {
    if (element(id).textContent !== text) element(id).textContent = text
  }

  const inMinutes = (/** @type {number} */ count) =>
    new Intl.NumberFormat(texts.locales, { style: 'unit', unit: 'minute', unitDisplay: 'long' }).format(count)

  const announce = (/** @type {number} */ seconds) => {
    const passed = SAID_MINUTES.filter(minutes => seconds <= minutes * 60).length + (seconds === 0 ? 1 : 0)
    if (passed <= saidMinutes) return
    saidMinutes = passed
    set(
      'said',
      seconds > 0 ? texts.before.title.replace('{time}', inMinutes(Math.ceil(seconds / 60))) : texts.before.now,
    )
  }

  const tick = () => {
    if (startsAtMs === 0) return
    const seconds = Math.max(0, Math.ceil((startsAtMs - performance.now()) / 1000))
    announce(seconds)
    const left = countdown(seconds)
    set('place', seconds > 0 ? left : texts.before.now)
    element('place').className = seconds === 0 ? 'pending' : left.length > 6 ? 'long' : ''
    const title = seconds > 0 ? texts.before.title.replace('{time}', left) : texts.before.now
    document.title = title + room.dataset.suffix
  }

  const startOf = (/** @type {string} */ at) => {
    const time = new Date(at)
    const isToday = time.toDateString() === new Date().toDateString()
    return isToday
      ? time.toLocaleTimeString(texts.locales, { timeStyle: 'short' })
      : time.toLocaleString(texts.locales, { dateStyle: 'medium', timeStyle: 'short' })
  }

  const waitFor = (/** @type {number} */ seconds, /** @type {string} */ at) => {
    startsAtMs = performance.now() + seconds * 1000
    set('label', texts.before.label)
    set('beside', texts.before.beside)
    set('wait', startOf(at))
    tick()
  }

  const show = (/** @type {Place} */ { event, drawAt, position, called }) => {
    if (event && typeof event.startsInSeconds === 'number') {
      set('headline', texts.before.headline)
      set('lead', event.draw ? texts.before.drawn : texts.before.byArrival)
      waitFor(event.startsInSeconds, event.startsAt)
      return
    }
    startsAtMs = 0
    delete room.dataset.starts
    set('label', texts.after.label)
    set('beside', texts.after.beside)
    if (drawAt && position === null && !called) {
      set('lead', texts.after.lead)
      set('place', texts.after.drawing)
    }
  }

  room.addEventListener('place', given => show(/** @type {CustomEvent<Place>} */ (given).detail))
  waitFor(Number(room.dataset.starts), room.dataset.at || '')
  setInterval(tick, 250)
})()
