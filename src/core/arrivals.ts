/**
 * The histogram of a line: how many confirmed tickets hold a place in each tenth of a second.
 *
 * The line itself is stored nowhere; this is all the room knows of it. Counts only grow until the frontier has passed
 * them. Memory is one cell per bucket of the span in which anybody waits: a day of waiting is under 4 MB.
 */

/** Width of a bucket. A place inside a bucket is interpolated, so this bounds the error when a crowd comes at once. */
export const BUCKET_MS = 100
const CHUNK_BUCKETS = 600
/** Width of a chunk, the unit that is stored and skipped as a whole. */
export const CHUNK_MS = BUCKET_MS * CHUNK_BUCKETS

interface Chunk {
  readonly counts: Uint32Array
  total: number
}

/** The bucket in which a key falls. */
export function bucketOf(keyMs: number): number {
  return Math.floor(keyMs / BUCKET_MS)
}

export class Arrivals {
  readonly #chunks = new Map<number, Chunk>()
  /** Chunk numbers in order; nearly always appended to. */
  #order: number[] = []
  #lastBucket = Number.NEGATIVE_INFINITY

  /** The end of the last bucket that holds a ticket, -Infinity in an empty line. */
  get lastKey(): number {
    return (this.#lastBucket + 1) * BUCKET_MS
  }

  add(bucket: number, count: number): void {
    const number = Math.floor(bucket / CHUNK_BUCKETS)
    const chunk = this.#chunks.get(number) ?? this.#open(number)
    const index = bucket - number * CHUNK_BUCKETS
    chunk.counts[index] = (chunk.counts[index] ?? 0) + count
    chunk.total += count
    if (bucket > this.#lastBucket) this.#lastBucket = bucket
  }

  /** How many tickets stand behind `fromKey`, up to and including `toKey`; part of a bucket counts in proportion. */
  between(fromKey: number, toKey: number): number {
    let people = 0
    this.#walk(fromKey, (startKey, endKey, count) => {
      if (startKey >= toKey) return false
      people += endKey <= toKey ? count : (count * (toKey - startKey)) / (endKey - startKey)
      return true
    })
    return people
  }

  /** Everybody behind `fromKey`. */
  after(fromKey: number): number {
    return this.between(fromKey, Number.POSITIVE_INFINITY)
  }

  /** The key at which `people` more than at `fromKey` have been called, and how many those are: never beyond the last. */
  advance(fromKey: number, people: number): { key: number; passed: number } {
    let left = people
    let key = fromKey
    this.#walk(fromKey, (startKey, endKey, count) => {
      if (left <= 0) return false
      const take = Math.min(left, count)
      key = take === count ? endKey : startKey + ((endKey - startKey) * take) / count
      left -= take
      return true
    })
    return { key, passed: people - Math.max(0, left) }
  }

  /** Visits the non-empty spans behind `fromKey` in order until `visit` says false. The first may be part of a bucket. */
  #walk(fromKey: number, visit: (startKey: number, endKey: number, count: number) => boolean): void {
    for (let i = this.#firstFrom(fromKey); i < this.#order.length; i++) {
      const number = this.#order[i] as number
      const chunk = this.#chunks.get(number) as Chunk
      if (chunk.total === 0) continue
      const chunkKey = number * CHUNK_MS
      for (let b = Math.max(0, Math.floor((fromKey - chunkKey) / BUCKET_MS)); b < CHUNK_BUCKETS; b++) {
        const count = chunk.counts[b] as number
        if (count === 0) continue
        const bucketKey = chunkKey + b * BUCKET_MS
        const startKey = Math.max(fromKey, bucketKey)
        const endKey = bucketKey + BUCKET_MS
        if (startKey >= endKey) continue
        if (!visit(startKey, endKey, (count * (endKey - startKey)) / BUCKET_MS)) return
      }
    }
  }

  /** Every non-empty bucket behind `fromKey`, for the curve that edges get. */
  spans(fromKey: number): { startKey: number; endKey: number; count: number }[] {
    const spans: { startKey: number; endKey: number; count: number }[] = []
    this.#walk(fromKey, (startKey, endKey, count) => {
      spans.push({ startKey, endKey, count })
      return true
    })
    return spans
  }

  /** Forgets whole chunks before `key`; returns their numbers, so that storage can forget them too. */
  forgetBefore(key: number): number[] {
    const keep = this.#firstFrom(key)
    const gone = this.#order.slice(0, keep)
    for (const number of gone) this.#chunks.delete(number)
    this.#order = this.#order.slice(keep)
    if (this.#order.length === 0) this.#lastBucket = Number.NEGATIVE_INFINITY
    return gone
  }

  /** The chunk that holds a bucket, as bytes for storage. */
  save(number: number): Uint8Array | undefined {
    const chunk = this.#chunks.get(number)
    return chunk && new Uint8Array(chunk.counts.buffer.slice(0))
  }

  load(number: number, bytes: Uint8Array): void {
    const counts = new Uint32Array(bytes.slice().buffer)
    counts.forEach((count, index) => {
      if (count > 0) this.add(number * CHUNK_BUCKETS + index, count)
    })
  }

  /** Index into the order of the first chunk that ends after `key`. */
  #firstFrom(key: number): number {
    let low = 0
    let high = this.#order.length
    while (low < high) {
      const middle = (low + high) >> 1
      if (((this.#order[middle] as number) + 1) * CHUNK_MS <= key) low = middle + 1
      else high = middle
    }
    return low
  }

  #open(number: number): Chunk {
    const chunk = { counts: new Uint32Array(CHUNK_BUCKETS), total: 0 }
    this.#chunks.set(number, chunk)
    this.#order.splice(this.#firstFrom(number * CHUNK_MS), 0, number)
    return chunk
  }
}

/** The chunk number of a bucket. */
export function chunkOf(bucket: number): number {
  return Math.floor(bucket / CHUNK_BUCKETS)
}
