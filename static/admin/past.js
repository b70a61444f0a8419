// @ts-check
// The last two minutes of each room as this page has read them. Times are by the room's own clock.

/** @typedef {import('./api.js').Room} Room */
/** @typedef {'inside' | 'waiting' | 'admitted'} Curve */
/** A limit of 0 means no limit. @typedef {{ value: number, limit: number }} Point */
/** @typedef {{ atMs: number, total: number } & Record<Curve, Point>} Sample */

export const PAST_MS = 120_000
const MINUTE_MS = 60_000

/** @type {Map<string, Sample[]>} */
const pasts = new Map()

/** @param {Room} room as it was just read */
export function remember({ name, now, settings, figures }) {
  const atMs = Date.parse(now)
  // The clock of a room may go back when the room moves to another machine.
  const before = pastOf(name).filter(sample => atMs - sample.atMs <= PAST_MS && sample.atMs < atMs)
  const total = figures.totals.admitted ?? 0
  // A room that has restarted knows its last minute only roughly. The total is exact, so it is used instead.
  const minute = before.find(sample => atMs - sample.atMs <= MINUTE_MS)
  const admitted = Math.max(figures.admittedLastMinute, total - (minute?.total ?? total))
  const sample = {
    atMs,
    total,
    inside: { value: figures.active, limit: settings.total_active_users },
    waiting: { value: figures.waiting, limit: 0 },
    admitted: { value: admitted, limit: figures.effectiveRatePerMinute },
  }
  pasts.set(name, [...before, sample])
}

/** Returns the samples, oldest first. @param {string} name */
export function pastOf(name) {
  return pasts.get(name) ?? []
}
