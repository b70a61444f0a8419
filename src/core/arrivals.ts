/**
 * The histogram of a line: how many confirmed tickets hold a place in each bucket of two milliseconds.
 *
 * The line itself is stored nowhere; this is all the room knows of it. Counts only grow until the frontier has passed
 * them. Memory is a byte per bucket of the span in which anybody came: 1.8 MB an hour, 43 MB a day.
 */

/**
 * Width of a bucket. A place inside a bucket is interpolated, so this bounds the error when a crowd comes at once: at a thousand
 * a second a bucket holds two people.
 */
export const BUCKET_MS = 2
const CHUNK_BUCKETS = 1_000
/** Width of a chunk, the unit that is stored and skipped as a whole. */
export const CHUNK_MS = BUCKET_MS * CHUNK_BUCKETS

/** People of one bucket who are called together. */
const CALLED_TOGETHER_MAX = 4
/** A bucket is full at a hundred thousand arrivals a second: further ones are not counted. */
const COUNT_MAX = 0xff

type Visit = (startKey: number, endKey: number, count: number) => boolean

interface Chunk {
  readonly counts: Uint8Array
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
    const room = COUNT_MAX - (chunk.counts[index] ?? 0)
    const added = Math.min(count, room)
    chunk.counts[index] = (chunk.counts[index] ?? 0) + added
    chunk.total += added
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
    const first = this.#order[this.#firstFrom(fromKey)]
    if (first === undefined) return 0
    let people = this.between(fromKey, (first + 1) * CHUNK_MS)
    for (let i = this.#firstFrom((first + 1) * CHUNK_MS); i < this.#order.length; i++) {
      people += this.#chunks.get(this.#order[i] as number)?.total ?? 0
    }
    return people
  }

  /**
   * The key at which `people` more than at `fromKey` have been called, and how many those are: never beyond the last
   * ticket, and of no bucket that ends after `toKey`. A bucket of a few people is called as a whole: who of them came
   * first is not known.
   */
  advance(fromKey: number, people: number, toKey = Number.POSITIVE_INFINITY): { key: number; passed: number } {
    let left = people
    let key = fromKey
    this.#walk(fromKey, (startKey, endKey, count) => {
      if (left <= 0 || endKey > toKey) return false
      const take = count <= CALLED_TOGETHER_MAX ? count : Math.min(left, count)
      key = take === count ? endKey : startKey + ((endKey - startKey) * take) / count
      left -= take
      return true
    })
    return { key, passed: people - left }
  }

  /** Visits the non-empty spans behind `fromKey` in order until `visit` says false. The first may be part of a bucket. */
  #walk(fromKey: number, visit: Visit): void {
    for (let i = this.#firstFrom(fromKey); i < this.#order.length; i++) {
      const number = this.#order[i] as number
      if (!walkChunk(this.#chunks.get(number) as Chunk, number * CHUNK_MS, fromKey, visit)) return
    }
  }

  /**
   * Visits every non-empty bucket behind `fromKey` in order; the first may be part of one. A whole chunk that holds no more than
   * `lump` allows after so many people is visited as one.
   */
  forEach(
    fromKey: number,
    visit: (startKey: number, endKey: number, count: number) => void,
    lump: (people: number) => number = () => 0,
  ): void {
    let people = 0
    const each = (startKey: number, endKey: number, count: number) => {
      people += count
      visit(startKey, endKey, count)
      return true
    }
    for (let i = this.#firstFrom(fromKey); i < this.#order.length; i++) {
      const number = this.#order[i] as number
      const chunk = this.#chunks.get(number) as Chunk
      const startKey = number * CHUNK_MS
      if (startKey >= fromKey && chunk.total > 0 && chunk.total <= lump(people)) {
        each(startKey, startKey + CHUNK_MS, chunk.total)
      } else walkChunk(chunk, startKey, fromKey, each)
    }
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
    const counts = new Uint8Array(bytes.slice().buffer)
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
    const chunk = { counts: new Uint8Array(CHUNK_BUCKETS), total: 0 }
    this.#chunks.set(number, chunk)
    this.#order.splice(this.#firstFrom(number * CHUNK_MS), 0, number)
    return chunk
  }
}

/** Visits the non-empty buckets of one chunk behind `fromKey`; false when `visit` said so. */
function walkChunk(chunk: Chunk, chunkKey: number, fromKey: number, visit: Visit): boolean {
  if (chunk.total === 0) return true
  for (let b = Math.max(0, Math.floor((fromKey - chunkKey) / BUCKET_MS)); b < CHUNK_BUCKETS; b++) {
    const count = chunk.counts[b] as number
    if (count === 0) continue
    const startKey = Math.max(fromKey, chunkKey + b * BUCKET_MS)
    const endKey = chunkKey + (b + 1) * BUCKET_MS
    if (startKey < endKey && !visit(startKey, endKey, (count * (endKey - startKey)) / BUCKET_MS)) return false
  }
  return true
}

/** The chunk number of a bucket. */
export function chunkOf(bucket: number): number {
  return Math.floor(bucket / CHUNK_BUCKETS)
}
