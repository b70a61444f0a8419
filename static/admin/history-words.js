// @ts-check
// Values, moments and markers of the past in words. This file neither touches the page nor reads a clock.
import { sentenceOf } from './decisions.js'
import { asked, count, moment } from './words.js'

/** @typedef {import('./history.js').HistoryMarker} HistoryMarker */

const TURNS = { 'prequeue-begun': 'opens its prequeue', 'event-begun': 'begins', 'event-ended': 'ends' }

/**
 * @param {number | null} value @param {'people' | 'perMinute' | 'minutes' | 'ms' | 'share'} unit
 * @param {boolean} [isShort] for an axis
 */
export function valueWords(value, unit, isShort = false) {
  if (value === null) return '–'
  if (unit === 'share') return value.toFixed(2)
  if (unit === 'ms') return value < 1_000 ? `${count(Math.round(value))} ms` : `${count(value / 1_000)} s`
  if (unit === 'minutes') return `${count(Math.round(value * 10) / 10)} min`
  if (isShort) return value >= 10_000 ? value.toLocaleString('en', { notation: 'compact' }) : count(value)
  return count(unit === 'perMinute' ? Math.round(value * 10) / 10 : Math.round(value))
}

/**
 * Describes the moment under the cursor, and what happened then.
 * @param {number} atMs @param {boolean} isNewest @param {string[]} then @param {number} nowMs
 */
export function momentWords(atMs, isNewest, then, nowMs) {
  return [isNewest ? 'Now' : moment(atMs, nowMs), ...then].join(' · ')
}

/** @param {HistoryMarker} marker */
export function markerWords(marker) {
  switch (marker.kind) {
    case 'change':
      return `${marker.actor}: ${asked(marker.request).join(', ')}`
    case 'decision':
      return sentenceOf(marker)
    case 'event':
      return `${marker.name} ${TURNS[marker.turn]}`
  }
}
