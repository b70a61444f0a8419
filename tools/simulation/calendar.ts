/**
 * The appointments of visitors, by slot of a wheel, in one block of memory. The visitors of a slot are stored in chunks
 * of one cache line each. So an addition hardly ever waits for memory, and reading a slot waits little. The visitors
 * added last are taken first.
 */

/**
 * The first number of a chunk is where its slot's earlier chunk ends, or, in a free chunk, the next free one; 0 is
 * none.
 */
const CHUNK = 16

export class Calendar {
  readonly #slots: number
  /**
   * Where each slot's next visitor is written; 0 for an empty slot. An end at a chunk's border means that a new chunk
   * is needed.
   */
  readonly #ends: Int32Array
  readonly #chunks: Int32Array
  #free = 0
  #used = CHUNK

  /** `slots` must be a power of two. Each visitor has at most one appointment. */
  constructor(slots: number, visitors: number) {
    this.#slots = slots
    this.#ends = new Int32Array(slots)
    // Room for all full chunks, for one partial chunk in each slot, and for chunk 0, which is never used.
    this.#chunks = new Int32Array(CHUNK * (Math.ceil(visitors / (CHUNK - 1)) + Math.min(slots, visitors) + 1))
  }

  add(slot: number, visitor: number): void {
    const index = slot & (this.#slots - 1)
    let end = this.#ends[index] as number
    if (end % CHUNK === 0) {
      const chunk = this.#open()
      this.#chunks[chunk] = end
      end = chunk + 1
    }
    this.#chunks[end] = visitor
    this.#ends[index] = end + 1
  }

  /** Moves the visitors of a slot to the front of an array. Returns their number. */
  take(slot: number, visitors: number[]): number {
    const index = slot & (this.#slots - 1)
    let count = 0
    for (let end = this.#ends[index] as number; end !== 0; ) {
      const chunk = (end - 1) & -CHUNK
      for (let at = end - 1; at > chunk; at--) visitors[count++] = this.#chunks[at] as number
      end = this.#chunks[chunk] as number
      this.#chunks[chunk] = this.#free
      this.#free = chunk
    }
    this.#ends[index] = 0
    return count
  }

  #open(): number {
    const chunk = this.#free
    if (chunk !== 0) {
      this.#free = this.#chunks[chunk] as number
      return chunk
    }
    this.#used += CHUNK
    return this.#used - CHUNK
  }
}
