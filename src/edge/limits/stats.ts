/** Counts the decisions of each policy at this isolate since the last report. */

const FIGURES = ['allowed', 'limited', 'shadow', 'near', 'fallback'] as const
export type Figure = (typeof FIGURES)[number]

export class PolicyFigures {
  readonly #names: readonly string[]
  readonly #figures: Record<Figure, number>[]
  #isDirty = false

  constructor(names: readonly string[]) {
    this.#names = names
    this.#figures = names.map(() => ({ allowed: 0, limited: 0, shadow: 0, near: 0, fallback: 0 }))
  }

  /** Counts a figure for the policy at place `i` in the list. */
  add(i: number, figure: Figure): void {
    const figures = this.#figures[i]
    if (figures) figures[figure]++
    this.#isDirty = true
  }

  /** Hands over the figures since the last time, as cells of a report, and sets them to 0. */
  take(count: (cell: string, by: number) => void): void {
    if (!this.#isDirty) return
    this.#isDirty = false
    for (const [i, figures] of this.#figures.entries()) {
      for (const figure of FIGURES) {
        if (figures[figure] > 0) count(`limit/${this.#names[i]}/${figure}`, figures[figure])
        figures[figure] = 0
      }
    }
  }
}
