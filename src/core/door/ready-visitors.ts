/**
 * The ready visitors of a door, oldest first. The order lets a door find the visitor for a permit without a search
 * through all.
 */

/** A visitor who was called, and then refused because there was no permit. */
export interface ReadyVisitor {
  readonly sid: string
  readonly key: number
  readonly lane: string
  seenMs: number
}

export class ReadyVisitors implements Iterable<ReadyVisitor> {
  readonly #bySid = new Map<string, ReadyVisitor>()
  #oldestFirst: ReadyVisitor[] = []

  get size(): number {
    return this.#bySid.size
  }

  has(sid: string): boolean {
    return this.#bySid.has(sid)
  }

  get(sid: string): ReadyVisitor | undefined {
    return this.#bySid.get(sid)
  }

  /** Adds a visitor. A visitor who is in the list already moves to the new place. */
  add(visitor: ReadyVisitor): void {
    this.delete(visitor.sid)
    this.#bySid.set(visitor.sid, visitor)
    this.#oldestFirst.splice(this.olderThan(visitor), 0, visitor)
  }

  delete(sid: string): void {
    const visitor = this.#bySid.get(sid)
    if (!visitor) return
    this.#bySid.delete(sid)
    this.#oldestFirst.splice(this.olderThan(visitor), 1)
  }

  /** Removes every visitor for whom `left` returns true. */
  prune(left: (visitor: ReadyVisitor) => boolean): void {
    const stayed = this.#oldestFirst.filter(visitor => !left(visitor))
    if (stayed.length === this.#oldestFirst.length) return
    this.#oldestFirst = stayed
    this.#bySid.clear()
    for (const visitor of stayed) this.#bySid.set(visitor.sid, visitor)
  }

  /** Returns how many visitors are older than this one. */
  olderThan(visitor: Pick<ReadyVisitor, 'key' | 'sid'>): number {
    let low = 0
    let high = this.#oldestFirst.length
    while (low < high) {
      const middle = (low + high) >> 1
      if (isOlder(this.#oldestFirst[middle] as ReadyVisitor, visitor)) low = middle + 1
      else high = middle
    }
    return low
  }

  /** Yields the visitors, oldest first. */
  [Symbol.iterator](): Iterator<ReadyVisitor> {
    return this.#oldestFirst[Symbol.iterator]()
  }
}

/** If two keys are equal, the visitor with the lower sid is older. */
export function isOlder(a: Pick<ReadyVisitor, 'key' | 'sid'>, b: Pick<ReadyVisitor, 'key' | 'sid'>): boolean {
  return a.key < b.key || (a.key === b.key && a.sid < b.sid)
}
