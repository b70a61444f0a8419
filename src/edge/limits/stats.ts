/** What policies did at this isolate since it was last reported, policy by policy. */

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

  /** By the policy's place in the list. */
  add(i: number, figure: Figure): void {
    const figures = this.#figures[i]
    if (figures) figures[figure]++
    this.#isDirty = true
  }

  /** Figures since the last time, as cells of a report. */
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
