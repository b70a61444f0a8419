/** Ends of sessions in order of time. A hundred thousand in one heap would be moved about for each other: only those of the next second are in one. */
import { Heap } from './heap.ts'

interface End {
  readonly atMs: number
  readonly sid: string
}

const SECOND_MS = 1_000

export class Ends {
  /** Of the seconds up to `#second`, in order. */
  readonly #near = new Heap<End>((a, b) => a.atMs < b.atMs)
  /** Of later seconds, in no order. */
  readonly #later = new Map<number, End[]>()
  #second = Number.NEGATIVE_INFINITY

  add(end: End): void {
    const second = Math.floor(end.atMs / SECOND_MS)
    if (second <= this.#second) return this.#near.push(end)
    const others = this.#later.get(second)
    if (others) others.push(end)
    else this.#later.set(second, [end])
  }

  /** The first of those up to `untilMs`, taken out. */
  take(untilMs: number): End | undefined {
    this.#reach(Math.floor(untilMs / SECOND_MS))
    const { first } = this.#near
    if (!first || first.atMs > untilMs) return undefined
    this.#near.pop()
    return first
  }

  nextMs(): number | undefined {
    if (!this.#near.first && this.#later.size > 0) this.#reach(Math.min(...this.#later.keys()))
    return this.#near.first?.atMs
  }

  #reach(second: number): void {
    if (second <= this.#second) return
    this.#second = second
    for (const [known, ends] of this.#later) {
      if (known > second) continue
      this.#later.delete(known)
      for (const end of ends) this.#near.push(end)
    }
  }
}
