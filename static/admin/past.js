// @ts-check
// The last two minutes of each room, as this page has seen them, by the room's own clock.

/** @typedef {import('./api.js').Room} Room */
/** @typedef {'inside' | 'waiting' | 'admitted'} Curve */
/** A limit of 0 is none. @typedef {{ value: number, limit: number }} Point */
/** @typedef {{ atMs: number, total: number } & Record<Curve, Point>} Sample */

export const PAST_MS = 120_000
const MINUTE_MS = 60_000

/** @type {Map<string, Sample[]>} */
const pasts = new Map()

/** @param {Room} room as it was just read */
export function remember({ name, now, settings, figures }) {
  const atMs = Date.parse(now)
  // An object that moves to another machine may find its clock set back.
  const before = pastOf(name).filter(sample => atMs - sample.atMs <= PAST_MS && sample.atMs < atMs)
  const total = figures.totals.admitted ?? 0
  // The room counts its last minute in memory, and a restart forgets it; the total is durable: what was seen here fills in.
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

/** Oldest first. @param {string} name */
export function pastOf(name) {
  return pasts.get(name) ?? []
}
