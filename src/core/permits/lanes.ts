/**
 * How lanes share the permits of a room: each has a right to its share, and what one lane does not use flows to the
 * others.
 *
 * A lane with ready visitors gets turns in proportion to its share (start-time fair queuing, Goyal et al. 1996). Every
 * permit moves the lane's turn on by one over its share, and the lane with the earliest turn is next. A lane without
 * demand keeps only a short claim to the permits that it left to others. So no other lane starves when it comes back.
 */
import { own } from '../own.ts'
import { MAIN_LANE } from '../ticket.ts'

/** A lane beside the main one, with its share of the permits, 0 to 1. The main lane has the rest. */
export interface LaneShare {
  readonly name: string
  readonly share: number
}

/** The position of each lane's turn, counted in permits of the whole room. Plain data, so that it can be stored. */
export interface LaneTurns {
  /** The earliest turn of the lanes that wanted a permit. */
  at: number
  readonly of: Record<string, number>
}

/**
 * A share of 0 would cause a division by zero. A lane with such a share still gets the permits that no other lane
 * wants.
 */
const SHARE_MIN = 1e-6

export function newLaneTurns(): LaneTurns {
  return { at: 0, of: {} }
}

/** Returns the lane whose share serves the visitors of `lane`. If `lane` was removed, it is the main lane. */
export function servedIn(lanes: readonly LaneShare[], lane: string): string {
  return lanes.some(({ name }) => name === lane) ? lane : MAIN_LANE
}

export function shareOf(lanes: readonly LaneShare[], lane: string): number {
  const named = lanes.find(({ name }) => name === lane)
  const share = named ? named.share : lanes.reduce((rest, other) => rest - other.share, 1)
  return Math.max(SHARE_MIN, share)
}

/** The needs of the lanes for the next permits. */
export interface Needs {
  readonly lanes: readonly LaneShare[]
  /** Permits, by lane. */
  readonly byLane: ReadonlyMap<string, number>
  /** How many permits a lane may claim back. */
  readonly slack: number
}

/**
 * Returns the whole permits for each lane out of `most`, never more than the lane needs. They add up to the need of
 * all lanes, or to `most` if that is less. Nothing changes until `take` is called.
 */
export function allot(turns: LaneTurns, { lanes, byLane, slack }: Needs, most: number): ReadonlyMap<string, number> {
  const wanting = [...byLane].filter(([, need]) => need > 0)
  const everybody = wanting.reduce((sum, [, need]) => sum + need, 0)
  if (everybody <= most) return new Map(wanting)
  const [only] = wanting
  if (only && wanting.length === 1) return new Map([[only[0], Math.min(only[1], most)]])
  const next = wanting.map(([lane, need]) => ({
    lane,
    need,
    step: 1 / shareOf(lanes, lane),
    turn: Math.max(own(turns.of, lane) ?? turns.at, turns.at - slack),
    got: 0,
  }))
  for (let left = most; left >= 1; left--) {
    const first = next
      .filter(({ got, need }) => got < need)
      .reduce((a, b) => (b.turn + b.step < a.turn + a.step ? b : a))
    first.got++
    first.turn += first.step
  }
  return new Map(next.map(({ lane, got }) => [lane, got]))
}

/** Moves the turns of the lanes that were given permits. `needs` are the needs for which the permits were allotted. */
export function take(turns: LaneTurns, { lanes, byLane, slack }: Needs, given: ReadonlyMap<string, number>): void {
  let at = Number.POSITIVE_INFINITY
  for (const [lane, need] of byLane) {
    if (need <= 0) continue
    const turn = Math.max(own(turns.of, lane) ?? turns.at, turns.at - slack)
    const next = turn + (given.get(lane) ?? 0) / shareOf(lanes, lane)
    turns.of[lane] = next
    at = Math.min(at, next)
  }
  if (at < Number.POSITIVE_INFINITY) turns.at = Math.max(turns.at, at)
}

/** Returns how much of `supply` each lane can expect: in proportion to its share, and never more than it wants. */
export function divide(
  supply: number,
  lanes: readonly LaneShare[],
  wanted: ReadonlyMap<string, number>,
): ReadonlyMap<string, number> {
  const parts = new Map<string, number>()
  let left = supply
  let open = [...wanted].filter(([, want]) => want > 0)
  while (open.length > 0 && left > 0) {
    const weights = open.reduce((sum, [lane]) => sum + shareOf(lanes, lane), 0)
    const sated = open.filter(([lane, want]) => want <= (left * shareOf(lanes, lane)) / weights)
    if (sated.length === 0) {
      for (const [lane] of open) parts.set(lane, (left * shareOf(lanes, lane)) / weights)
      return parts
    }
    for (const [lane, want] of sated) {
      parts.set(lane, want)
      left -= want
    }
    open = open.filter(([lane]) => !parts.has(lane))
  }
  return parts
}

/**
 * Returns how many visitors were admitted from the main lane. In a room's totals `admitted` covers all lanes, and every
 * other lane has a total of its own.
 */
export function admittedInMain(totals: Readonly<Record<string, number>>): number {
  const elsewhere = Object.entries(totals).filter(([kind]) => kind.startsWith('admitted/'))
  return Math.max(
    0,
    elsewhere.reduce((rest, [, value]) => rest - value, totals.admitted ?? 0),
  )
}
