/**
 * The ready visitors of a door, oldest first. So a door finds the visitor for a permit without a search through all.
 */

/** A ready visitor: called, and refused for want of a permit. */
export interface Standing {
  readonly sid: string
  readonly key: number
  readonly lane: string
  seenMs: number
}

export class StandBy implements Iterable<Standing> {
  readonly #bySid = new Map<string, Standing>()
  #oldestFirst: Standing[] = []

  get size(): number {
    return this.#bySid.size
  }

  has(sid: string): boolean {
    return this.#bySid.has(sid)
  }

  get(sid: string): Standing | undefined {
    return this.#bySid.get(sid)
  }

  /** Adds a visitor. A visitor who is there already moves to the new place. */
  add(standing: Standing): void {
    this.delete(standing.sid)
    this.#bySid.set(standing.sid, standing)
    this.#oldestFirst.splice(this.olderThan(standing), 0, standing)
  }

  delete(sid: string): void {
    const standing = this.#bySid.get(sid)
    if (!standing) return
    this.#bySid.delete(sid)
    this.#oldestFirst.splice(this.olderThan(standing), 1)
  }

  /** Removes every visitor for whom `left` returns true. */
  forget(left: (standing: Standing) => boolean): void {
    const stayed = this.#oldestFirst.filter(standing => !left(standing))
    if (stayed.length === this.#oldestFirst.length) return
    this.#oldestFirst = stayed
    this.#bySid.clear()
    for (const standing of stayed) this.#bySid.set(standing.sid, standing)
  }

  /** Returns how many visitors are older. */
  olderThan(standing: Pick<Standing, 'key' | 'sid'>): number {
    let low = 0
    let high = this.#oldestFirst.length
    while (low < high) {
      const middle = (low + high) >> 1
      if (isOlder(this.#oldestFirst[middle] as Standing, standing)) low = middle + 1
      else high = middle
    }
    return low
  }

  /** Oldest first. */
  [Symbol.iterator](): Iterator<Standing> {
    return this.#oldestFirst[Symbol.iterator]()
  }
}

/** Ties are split by the sid. */
export function isOlder(a: Pick<Standing, 'key' | 'sid'>, b: Pick<Standing, 'key' | 'sid'>): boolean {
  return a.key < b.key || (a.key === b.key && a.sid < b.sid)
}
