/**
 * How lanes share the permits of a room: each has a right to its share, and what one does not use flows on to the others.
 *
 * A lane that has somebody standing gets its turns in proportion to its share (start-time fair queuing, Goyal et al. 1996):
 * every permit moves the lane's turn on by one over its share, and the lane whose turn is earliest is next. A lane without demand keeps
 * no more than a short claim to what it left to others, so nobody starves when it comes back.
 */
import { own } from '../own.ts'
import { MAIN_LANE } from '../ticket.ts'

/** A lane of its own beside the main one, with its share of the permits, 0 to 1. The main lane has what is left. */
export interface LaneShare {
  readonly name: string
  readonly share: number
}

/** Where each lane's turn is, in permits of the whole room. Plain data, so that it can be stored. */
export interface Turns {
  /** The earliest turn of the lanes that wanted one. */
  at: number
  readonly of: Record<string, number>
}

/** A share of nothing would divide by zero; a lane that has one still gets what nobody else wants. */
const SHARE_MIN = 1e-6

export function newTurns(): Turns {
  return { at: 0, of: {} }
}

/** The lane under whose share somebody is served: a lane that was taken away falls to the main one. */
export function servedIn(lanes: readonly LaneShare[], lane: string): string {
  return lanes.some(({ name }) => name === lane) ? lane : MAIN_LANE
}

export function shareOf(lanes: readonly LaneShare[], lane: string): number {
  const named = lanes.find(({ name }) => name === lane)
  const share = named ? named.share : lanes.reduce((rest, other) => rest - other.share, 1)
  return Math.max(SHARE_MIN, share)
}

/**
 * Whole permits for each lane out of `most`, never more than it needs, and as many in all as there are or are needed. Turns are taken
 * with `take`; until then this only says whose they would be. `slack` is how many permits back a lane may claim.
 */
export function allot(
  turns: Turns,
  lanes: readonly LaneShare[],
  needs: ReadonlyMap<string, number>,
  most: number,
  slack: number,
): ReadonlyMap<string, number> {
  const wanting = [...needs].filter(([, need]) => need > 0)
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

/** Notes that lanes were given permits, while all in `needs` wanted some. */
export function take(
  turns: Turns,
  lanes: readonly LaneShare[],
  needs: ReadonlyMap<string, number>,
  given: ReadonlyMap<string, number>,
  slack: number,
): void {
  let at = Number.POSITIVE_INFINITY
  for (const [lane, need] of needs) {
    if (need <= 0) continue
    const turn = Math.max(own(turns.of, lane) ?? turns.at, turns.at - slack)
    const next = turn + (given.get(lane) ?? 0) / shareOf(lanes, lane)
    turns.of[lane] = next
    at = Math.min(at, next)
  }
  if (at < Number.POSITIVE_INFINITY) turns.at = Math.max(turns.at, at)
}

/** What each lane can reckon with of `supply`: by the shares, and never more than it wants. */
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

/** Of a room's totals, who was let in from the main lane: from the others each lane has a total of its own. */
export function admittedInMain(totals: Readonly<Record<string, number>>): number {
  const elsewhere = Object.entries(totals).filter(([kind]) => kind.startsWith('admitted/'))
  return Math.max(
    0,
    elsewhere.reduce((rest, [, value]) => rest - value, totals.admitted ?? 0),
  )
}
