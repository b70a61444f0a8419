/** Whether each lane with a line gets its share of the permits, second by second. */
import type { LaneShare } from '../../src/core/lanes.ts'
import { MAIN_LANE } from '../../src/core/ticket.ts'

/** A share is judged over this much of a line. */
const JUDGED_FROM_MS = 3 * 60_000
const SHARE_MIN = 0.95
/** A line is one that the next ten seconds cannot empty. */
const LINE_SECONDS = 10
const LINE_MIN = 5

interface Lane {
  readonly name: string
  readonly share: number
  admitted: number
  wasLine: boolean
  /** While it had a line: what its share of the permits was, how many it got, and for how long. */
  due: number
  got: number
  boundMs: number
}

export class Shares {
  readonly #lanes: readonly Lane[]

  constructor(lanes: readonly LaneShare[]) {
    this.#lanes = [MAIN_LANE, ...lanes.map(({ name }) => name)].map(name => ({
      ...{ name, share: shareIn(lanes, name), admitted: 0, wasLine: false },
      ...{ due: 0, got: 0, boundMs: 0 },
    }))
  }

  /** A second has passed, in which `permitsPerSecond` were to be had; totals of each lane. */
  note(
    tookMs: number,
    permitsPerSecond: number,
    peopleIn: (lane: string) => number,
    admittedIn: (lane: string) => number,
  ): void {
    for (const lane of this.#lanes) {
      const admitted = admittedIn(lane.name)
      const perSecond = permitsPerSecond * lane.share
      const isLine = permitsPerSecond > 0 && peopleIn(lane.name) > Math.max(LINE_MIN, perSecond * LINE_SECONDS)
      if (isLine && lane.wasLine) {
        lane.due += (perSecond * tookMs) / 1_000
        lane.got += admitted - lane.admitted
        lane.boundMs += tookMs
      }
      lane.wasLine = isLine
      lane.admitted = admitted
    }
  }

  /** Lanes that got less than they had a right to, in words. */
  starved(): string[] {
    return this.#lanes
      .filter(({ boundMs, got, due }) => boundMs >= JUDGED_FROM_MS && got < SHARE_MIN * due)
      .map(
        ({ name, got, due }) => `lane ${name} got ${got} permits while it had a line, its share was ${due.toFixed(1)}`,
      )
  }
}

/** Written out here: taken from `core` it would follow its mistakes. */
function shareIn(lanes: readonly LaneShare[], lane: string): number {
  return lanes.find(({ name }) => name === lane)?.share ?? lanes.reduce((rest, { share }) => rest - share, 1)
}
