/**
 * Items in order of time. Only the items of the seconds reached so far are in a heap: with a million in one heap, every
 * change would move many of them.
 */
interface Due {
  readonly dueMs: number
}

const SECOND_MS = 1_000

export class Queue<Item extends Due> {
  /** A binary heap of the items of the seconds up to `#second`, and their times. */
  readonly #items: Item[] = []
  readonly #times: number[] = []
  /** Items by later second, in no order within it. */
  readonly #later = new Map<number, Item[]>()
  #second = Number.NEGATIVE_INFINITY

  add(item: Item): void {
    const second = Math.floor(item.dueMs / SECOND_MS)
    if (second <= this.#second) return this.#push(item)
    const others = this.#later.get(second)
    if (others) others.push(item)
    else this.#later.set(second, [item])
  }

  /** Takes out and returns the first item up to `untilMs`. */
  take(untilMs: number): Item | undefined {
    this.#reach(Math.floor(untilMs / SECOND_MS))
    const firstMs = this.#times[0]
    return firstMs === undefined || firstMs > untilMs ? undefined : this.#pop()
  }

  nextMs(): number | undefined {
    if (this.#items.length === 0 && this.#later.size > 0) this.#reach(Math.min(...this.#later.keys()))
    return this.#times[0]
  }

  #reach(second: number): void {
    if (second <= this.#second) return
    this.#second = second
    for (const [known, items] of this.#later) {
      if (known > second) continue
      this.#later.delete(known)
      for (const item of items) this.#push(item)
    }
  }

  #push(item: Item): void {
    let index = this.#items.length
    for (let parent = (index - 1) >> 1; index > 0 && this.#timeAt(parent) > item.dueMs; parent = (index - 1) >> 1) {
      this.#set(index, this.#items[parent] as Item, this.#timeAt(parent))
      index = parent
    }
    this.#set(index, item, item.dueMs)
  }

  #pop(): Item | undefined {
    const [first] = this.#items
    const last = this.#items.pop() as Item
    const lastMs = this.#times.pop() as number
    const { length } = this.#items
    if (length === 0) return first
    let index = 0
    for (let child = 1; child < length; child = 2 * index + 1) {
      if (child + 1 < length && this.#timeAt(child + 1) < this.#timeAt(child)) child++
      if (this.#timeAt(child) >= lastMs) break
      this.#set(index, this.#items[child] as Item, this.#timeAt(child))
      index = child
    }
    this.#set(index, last, lastMs)
    return first
  }

  #timeAt(index: number): number {
    return this.#times[index] as number
  }

  #set(index: number, item: Item, atMs: number): void {
    this.#items[index] = item
    this.#times[index] = atMs
  }
}
