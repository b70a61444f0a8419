/** The waits shown from ten minutes on, to be held against the real ones: the first, the last, and one at random of each visitor. */

const FROM_MS = 10 * 60_000

interface Shown {
  readonly atMs: Float64Array
  readonly waitMs: Float64Array
}

export class Estimates {
  readonly #fromMs: number
  readonly #times: Uint16Array
  readonly #first: Shown
  readonly #last: Shown
  readonly #any: Shown

  constructor(visitors: number, startMs: number) {
    const empty = (): Shown => ({ atMs: new Float64Array(visitors), waitMs: new Float64Array(visitors) })
    this.#fromMs = startMs + FROM_MS
    this.#times = new Uint16Array(visitors)
    this.#first = empty()
    this.#last = empty()
    this.#any = empty()
  }

  /** `random`, uniform in [0, 1), picks each of a visitor's estimates with the same chance. */
  shown(visitor: number, waitMs: number, random: number, nowMs: number): void {
    if (nowMs < this.#fromMs) return
    const times = (this.#times[visitor] as number) + 1
    this.#times[visitor] = times
    if (times === 1) note(this.#first, visitor, waitMs, nowMs)
    if (random * times < 1) note(this.#any, visitor, waitMs, nowMs)
    note(this.#last, visitor, waitMs, nowMs)
  }

  /** For each visitor admitted: by how much an estimate was wrong, as a share of the real wait, and in seconds. */
  errors(admittedMs: Float64Array, counts: (visitor: number) => boolean) {
    const any: number[] = []
    const first: number[] = []
    const lastSeconds: number[] = []
    for (let visitor = 0; visitor < admittedMs.length; visitor++) {
      const inMs = admittedMs[visitor] as number
      if (this.#times[visitor] === 0 || inMs === 0 || !counts(visitor)) continue
      any.push(shareOf(this.#any, visitor, inMs))
      first.push(shareOf(this.#first, visitor, inMs))
      const [shownMs, realMs] = both(this.#last, visitor, inMs)
      lastSeconds.push(Math.abs(shownMs - realMs) / 1_000)
    }
    return { any, first, lastSeconds }
  }
}

function note({ atMs, waitMs }: Shown, visitor: number, shownMs: number, nowMs: number): void {
  atMs[visitor] = nowMs
  waitMs[visitor] = shownMs
}

function both({ atMs, waitMs }: Shown, visitor: number, inMs: number): [shownMs: number, realMs: number] {
  return [waitMs[visitor] as number, inMs - (atMs[visitor] as number)]
}

function shareOf(shown: Shown, visitor: number, inMs: number): number {
  const [shownMs, realMs] = both(shown, visitor, inMs)
  return Math.abs(shownMs - realMs) / Math.max(1_000, realMs)
}
