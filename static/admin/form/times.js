// @ts-check
// Times in a form. They are shown in the time zone of the browser, and sent with the offset that the zone has at that
// time.

/**
 * Returns a time as the text of a `datetime-local` field.
 * @param {unknown} value an ISO 8601 time, or anything else for none
 */
export function toField(value) {
  const at = new Date(typeof value === 'string' ? value : Number.NaN)
  if (Number.isNaN(at.getTime())) return ''
  const local = new Date(at.getTime() - at.getTimezoneOffset() * 60_000).toISOString()
  return local.slice(0, at.getSeconds() + at.getMilliseconds() === 0 ? 16 : 23)
}

/**
 * Returns the time in a field, with its offset. If the time was not changed, it stays exactly as it was written.
 * @param {string} text @param {unknown} before
 */
export function fromField(text, before) {
  if (text === toField(before)) return before
  const at = new Date(text)
  if (Number.isNaN(at.getTime())) return text
  const minutes = -at.getTimezoneOffset()
  const pad = (/** @type {number} */ value) => String(Math.abs(value)).padStart(2, '0')
  const offset = `${minutes < 0 ? '-' : '+'}${pad(Math.trunc(minutes / 60))}:${pad(minutes % 60)}`
  const seconds = toField(at.toISOString())
  return `${seconds.length === 16 ? `${seconds}:00` : seconds}${minutes === 0 ? 'Z' : offset}`
}

/** Returns the time zone of the browser, such as `Europe/Berlin`. */
export function zone() {
  return Intl.DateTimeFormat().resolvedOptions().timeZone
}
