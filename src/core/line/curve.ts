/**
 * People ahead as a function of the key, small enough to send to every edge each second: a rising line of straight
 * pieces from the frontier to the last ticket.
 *
 * The error is at most half a place for the first fifty people, and one percent behind them. If that takes too many
 * pieces, the allowed error is doubled until the curve fits. Made by the swing filter (Elmeleegy et al., VLDB 2009):
 * one pass, each piece as long as its error allows.
 */

import type { Arrivals } from './arrivals.ts'

/** Pairs of a key and the people ahead of it, in one flat list. Both numbers rise. Empty if no visitor waits. */
export type Curve = readonly number[]

/** Half of the one percent may come from merging stretches of the line, the other half from the swing filter. */
const ERROR_SHARE = 0.005
/** A curve travels to every edge each second; 200 pieces are 3 KB. */
const PIECES_MAX = 200

export function curveOf(arrivals: Arrivals, fromKey: number, piecesMax = PIECES_MAX): Curve {
  const corners = cornersOf(arrivals, fromKey)
  for (let looseness = 1; ; looseness *= 2) {
    const curve = swing(corners, looseness)
    if (curve.length <= piecesMax * 2) return curve
  }
}

/** Returns the people ahead of `key`: zero at the curve's start, all people at its end. */
export function aheadOf(curve: Curve, key: number): number {
  const last = curve.length - 2
  if (last < 0 || key <= (curve[0] as number)) return 0
  if (key >= (curve[last] as number)) return curve[last + 1] as number
  let low = 0
  let high = last / 2
  while (high - low > 1) {
    const middle = (low + high) >> 1
    if ((curve[middle * 2] as number) <= key) low = middle
    else high = middle
  }
  const x0 = curve[low * 2] as number
  const y0 = curve[low * 2 + 1] as number
  return y0 + (((curve[low * 2 + 3] as number) - y0) * (key - x0)) / ((curve[low * 2 + 2] as number) - x0)
}

/** Returns the number of people on the curve. */
export function total(curve: Curve): number {
  return curve.length === 0 ? 0 : (curve[curve.length - 1] as number)
}

/**
 * Returns the corners of the exact curve, which is constant between buckets and rises evenly inside one. Far back in a
 * long line it rises evenly across merged buckets and chunks, too.
 */
function cornersOf(arrivals: Arrivals, fromKey: number): number[] {
  const corners: number[] = []
  let people = 0
  let key = Number.NaN
  arrivals.forEach(
    fromKey,
    (startKey, endKey, count) => {
      if (startKey !== key) corners.push(startKey, people)
      people += count
      corners.push(endKey, people)
      key = endKey
    },
    before => before * ERROR_SHARE,
  )
  return corners
}

function swing(corners: readonly number[], looseness: number): number[] {
  if (corners.length === 0) return []
  const curve = [corners[0] as number, corners[1] as number]
  let x0 = corners[0] as number
  let y0 = corners[1] as number
  let lowest = Number.NEGATIVE_INFINITY
  let highest = Number.POSITIVE_INFINITY
  for (let i = 2; i < corners.length; i += 2) {
    const x = corners[i] as number
    const y = corners[i + 1] as number
    const error = looseness * Math.max(0.5, y * ERROR_SHARE)
    const slope = (y - y0) / (x - x0)
    if (slope > highest || slope < lowest) {
      x0 = corners[i - 2] as number
      y0 = corners[i - 1] as number
      curve.push(x0, y0)
      lowest = Number.NEGATIVE_INFINITY
      highest = Number.POSITIVE_INFINITY
    }
    lowest = Math.max(lowest, (y - error - y0) / (x - x0))
    highest = Math.min(highest, (y + error - y0) / (x - x0))
  }
  curve.push(corners[corners.length - 2] as number, corners[corners.length - 1] as number)
  return curve
}
