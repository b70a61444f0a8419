/**
 * Ends of sessions in order of time. Only the ends of the seconds reached so far are in a heap: with all 100,000 in one
 * heap, every change would move many of them.
 */
import { Heap } from './heap.ts'

interface End {
  readonly atMs: number
  readonly sid: string
}

const SECOND_MS = 1_000

export class Ends {
  /** Ends within the seconds up to `#second`, in order. */
  readonly #near = new Heap<End>((a, b) => a.atMs < b.atMs)
  /** Ends by later second, unordered within it. */
  readonly #later = new Map<number, End[]>()
  #second = Number.NEGATIVE_INFINITY

  add(end: End): void {
    const second = Math.floor(end.atMs / SECOND_MS)
    if (second <= this.#second) return this.#near.push(end)
    const others = this.#later.get(second)
    if (others) others.push(end)
    else this.#later.set(second, [end])
  }

  /** Takes out and returns the first end up to `untilMs`. */
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
