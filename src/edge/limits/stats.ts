/** Counts the decisions of each policy at this isolate since the last report. */

const KINDS = ['allowed', 'limited', 'shadow', 'near', 'fallback'] as const
type PolicyCount = (typeof KINDS)[number]

export class PolicyStats {
  readonly #names: readonly string[]
  readonly #counts: Record<PolicyCount, number>[]
  #isDirty = false

  constructor(names: readonly string[]) {
    this.#names = names
    this.#counts = names.map(() => ({ allowed: 0, limited: 0, shadow: 0, near: 0, fallback: 0 }))
  }

  /** Counts a decision for the policy at index `i` in the list. */
  add(i: number, kind: PolicyCount): void {
    const counts = this.#counts[i]
    if (counts) counts[kind]++
    this.#isDirty = true
  }

  /** Passes the counts since the last time to `count`, as cells of a report, and sets them to 0. */
  take(count: (cell: string, by: number) => void): void {
    if (!this.#isDirty) return
    this.#isDirty = false
    for (const [i, counts] of this.#counts.entries()) {
      for (const kind of KINDS) {
        if (counts[kind] > 0) count(`limit/${this.#names[i]}/${kind}`, counts[kind])
        counts[kind] = 0
      }
    }
  }
}
