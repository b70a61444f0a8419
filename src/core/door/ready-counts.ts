/** The called visitors who stand by at a door, oldest first: whom a permit is for is known without looking at all of them. */

/** A called visitor who was refused. */
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

  /** Whoever stands there already is put in their new place. */
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

  /** Lets go of everybody who has `left`. */
  forget(left: (standing: Standing) => boolean): void {
    const stayed = this.#oldestFirst.filter(standing => !left(standing))
    if (stayed.length === this.#oldestFirst.length) return
    this.#oldestFirst = stayed
    this.#bySid.clear()
    for (const standing of stayed) this.#bySid.set(standing.sid, standing)
  }

  /** How many are older. */
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
