/**
 * Who has an appointment in which slot of a wheel, in one block of memory: a slot's visitors stand in chunks of one line of the
 * processor's cache, so that noting one waits for no memory, and reading them all for little. Those who came last go first.
 */

/** The first of a chunk says where its slot's earlier ones end, or which chunk is free after it; 0 is none. */
const CHUNK = 16

export class Calendar {
  readonly #slots: number
  /** Of each slot: where its next visitor is written, 0 when nobody comes. At the end of a chunk the next one is a new chunk's. */
  readonly #ends: Int32Array
  readonly #chunks: Int32Array
  #free = 0
  #used = CHUNK

  /** `slots` is a power of two. Each visitor has at most one appointment. */
  constructor(slots: number, visitors: number) {
    this.#slots = slots
    this.#ends = new Int32Array(slots)
    // Full ones, one that is not full in each slot, and none at 0.
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

  /** Empties a slot into the front of an array; answers how many they are. */
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
