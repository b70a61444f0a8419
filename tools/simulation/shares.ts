/** Checks every second whether each lane with a line gets its share of the permits. */
import type { LaneShare } from '../../src/core/permits/lanes.ts'
import { MAIN_LANE } from '../../src/core/ticket.ts'

/** A share is judged after this much time with a line. */
const JUDGED_FROM_MS = 3 * 60_000
const SHARE_MIN = 0.95
/** A line counts if it is too long to be empty in ten seconds. */
const LINE_SECONDS = 10
const LINE_MIN = 5

interface Lane {
  readonly name: string
  readonly share: number
  admitted: number
  counted: boolean
  /** These count while this lane and another lane have a line: the permits due, the permits used, and the time. */
  due: number
  got: number
  boundMs: number
}

export class Shares {
  readonly #lanes: readonly Lane[]

  constructor(lanes: readonly LaneShare[]) {
    this.#lanes = [MAIN_LANE, ...lanes.map(({ name }) => name)].map(name => ({
      ...{ name, share: shareIn(lanes, name), admitted: 0, counted: false },
      ...{ due: 0, got: 0, boundMs: 0 },
    }))
  }

  /** Notes a time of `tookMs`, in which `permitsPerSecond` were available. `admittedIn` returns the total of a lane. */
  note(
    tookMs: number,
    permitsPerSecond: number,
    peopleIn: (lane: string) => number,
    admittedIn: (lane: string) => number,
  ): void {
    const isLine = this.#lanes.map(({ name, share }) => {
      const perSecond = permitsPerSecond * share
      return perSecond > 0 && peopleIn(name) > Math.max(LINE_MIN, perSecond * LINE_SECONDS)
    })
    // If only one lane has a line, it also gets unused permits of the others. They would hide an earlier lack.
    const areMany = isLine.filter(Boolean).length > 1
    for (const [index, lane] of this.#lanes.entries()) {
      const admitted = admittedIn(lane.name)
      const counts = areMany && isLine[index] === true
      if (counts && lane.counted) {
        lane.due += (permitsPerSecond * lane.share * tookMs) / 1_000
        lane.got += admitted - lane.admitted
        lane.boundMs += tookMs
      }
      lane.counted = counts
      lane.admitted = admitted
    }
  }

  /** Returns a sentence for each lane that got less than its share. */
  starved(): string[] {
    return this.#lanes
      .filter(({ boundMs, got, due }) => boundMs >= JUDGED_FROM_MS && got < SHARE_MIN * due)
      .map(
        ({ name, got, due }) => `lane ${name} got ${got} permits while it had a line, its share was ${due.toFixed(1)}`,
      )
  }
}

/** Calculates the share without the code of `core`, so that a mistake there is found here. */
function shareIn(lanes: readonly LaneShare[], lane: string): number {
  return lanes.find(({ name }) => name === lane)?.share ?? lanes.reduce((rest, { share }) => rest - share, 1)
}
