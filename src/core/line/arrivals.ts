/**
 * The histogram of a line: how many confirmed tickets have their place in each bucket of an eighth of a millisecond.
 *
 * The line itself is not stored; this histogram is all the room has of it. Counts ahead of the frontier only grow,
 * except when people move to another lane. Memory is two bytes a person, and up to four while an array has spare room.
 * Buckets are narrow, so few people share one, and empty buckets cost nothing.
 */

/**
 * Width of a bucket. A place inside a bucket is interpolated, so the width bounds the error when a crowd arrives at
 * once. At 8,000 arrivals a second a bucket contains one person.
 */
export const BUCKET_MS = 0.125
const CHUNK_BUCKETS = 16_000
/** Width of a chunk, the unit that is stored and skipped as a whole. */
export const CHUNK_MS = BUCKET_MS * CHUNK_BUCKETS

/** The most people of one bucket who are called together. */
const CALLED_TOGETHER_MAX = 4
/** A chunk is full at this many people, which means 500,000 arrivals a second. Further arrivals are not counted. */
const PEOPLE_MAX = 1_000_000

type Visit = (startKey: number, endKey: number, count: number) => boolean

interface Chunk {
  readonly startKey: number
  /**
   * The bucket of each person, counted from the chunk's start, in order. Entries at `total` and after it are unused.
   */
  buckets: Uint16Array
  total: number
}

/** The number of the bucket that contains a key. */
export function arrivalBucketOf(keyMs: number): number {
  return Math.floor(keyMs / BUCKET_MS)
}

export class Arrivals {
  readonly #chunks = new Map<number, Chunk>()
  /** Chunk numbers, in rising order. A new number nearly always goes at the end. */
  #order: number[] = []
  #lastBucket = Number.NEGATIVE_INFINITY

  /** The end of the last bucket in which a ticket was counted. It is -Infinity in an empty line. */
  get lastKey(): number {
    return (this.#lastBucket + 1) * BUCKET_MS
  }

  add(bucket: number, count: number): void {
    const number = Math.floor(bucket / CHUNK_BUCKETS)
    const chunk = this.#chunks.get(number) ?? this.#open(number)
    insert(chunk, bucket - number * CHUNK_BUCKETS, Math.min(count, PEOPLE_MAX - chunk.total))
    if (bucket > this.#lastBucket) this.#lastBucket = bucket
  }

  /** Removes `count` people from a bucket, or all of its people if there are fewer. */
  remove(bucket: number, count: number): void {
    const number = Math.floor(bucket / CHUNK_BUCKETS)
    const chunk = this.#chunks.get(number)
    if (chunk) takeOut(chunk, bucket - number * CHUNK_BUCKETS, count)
  }

  /**
   * Returns how many tickets stand behind `fromKey`, up to and including `toKey`. Part of a bucket counts in
   * proportion.
   */
  between(fromKey: number, toKey: number): number {
    let people = 0
    this.#walk(fromKey, (startKey, endKey, count) => {
      if (startKey >= toKey) return false
      people += endKey <= toKey ? count : (count * (toKey - startKey)) / (endKey - startKey)
      return true
    })
    return people
  }

  /** Returns how many tickets stand behind `fromKey`. */
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
   * Returns the key up to which about `people` more are called than at `fromKey`, and how many people these are
   * (`passed`). The key is never beyond the last ticket, and never in a bucket that ends after `toKey`. A bucket of a
   * few people is called as a whole, because their order is not known.
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

  /**
   * Visits the non-empty spans behind `fromKey` in order until `visit` returns false. The first may be part of a
   * bucket.
   */
  #walk(fromKey: number, visit: Visit): void {
    for (let i = this.#firstFrom(fromKey); i < this.#order.length; i++) {
      const number = this.#order[i] as number
      if (!walkChunk(this.#chunks.get(number) as Chunk, fromKey, visit)) return
    }
  }

  /**
   * Visits every non-empty bucket behind `fromKey` in order, until `visit` returns false. The first visit may be part
   * of a bucket. About `lump(people so far)` people are merged into one visit. A merged span never crosses the end of a
   * chunk.
   */
  forEach(
    fromKey: number,
    visit: (startKey: number, endKey: number, count: number) => unknown,
    lump: (people: number) => number = () => 0,
  ): void {
    let people = 0
    const each = (startKey: number, endKey: number, count: number) => {
      people += count
      return visit(startKey, endKey, count) !== false
    }
    for (let i = this.#firstFrom(fromKey); i < this.#order.length; i++) {
      const chunk = this.#chunks.get(this.#order[i] as number) as Chunk
      const { startKey } = chunk
      const isLump = startKey >= fromKey && chunk.total > 0 && chunk.total <= lump(people)
      const goesOn = isLump
        ? each(startKey, startKey + CHUNK_MS, chunk.total)
        : walkChunk(chunk, fromKey, each, () => lump(people))
      if (!goesOn) return
    }
  }

  /** Prunes whole chunks before `key`. Returns their numbers, so that the caller can delete them from storage. */
  pruneBefore(key: number): number[] {
    const keep = this.#firstFrom(key)
    const gone = this.#order.slice(0, keep)
    for (const number of gone) this.#chunks.delete(number)
    this.#order = this.#order.slice(keep)
    if (this.#order.length === 0) this.#lastBucket = Number.NEGATIVE_INFINITY
    return gone
  }

  /** A chunk in its stored form: two bytes a person, little-endian. */
  save(number: number): Uint8Array | undefined {
    const chunk = this.#chunks.get(number)
    if (!chunk) return undefined
    const bytes = new DataView(new ArrayBuffer(chunk.total * 2))
    for (let i = 0; i < chunk.total; i++) bytes.setUint16(i * 2, chunk.buckets[i] as number, true)
    return new Uint8Array(bytes.buffer)
  }

  load(number: number, stored: Uint8Array): void {
    const bytes = new DataView(stored.buffer, stored.byteOffset, stored.byteLength)
    for (let at = 0; at + 1 < stored.byteLength; at += 2) {
      this.add(number * CHUNK_BUCKETS + bytes.getUint16(at, true), 1)
    }
  }

  /** Returns the index in `#order` of the first chunk that ends after `key`. */
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
    const chunk = { startKey: number * CHUNK_MS, buckets: new Uint16Array(8), total: 0 }
    this.#chunks.set(number, chunk)
    this.#order.splice(this.#firstFrom(number * CHUNK_MS), 0, number)
    return chunk
  }
}

/** Visits the non-empty buckets of one chunk behind `fromKey`. Returns false if `visit` returned false. */
function walkChunk(
  { startKey: chunkKey, buckets, total }: Chunk,
  fromKey: number,
  visit: Visit,
  together: () => number = () => 1,
): boolean {
  for (let i = firstIn(buckets, total, Math.floor((fromKey - chunkKey) / BUCKET_MS)); i < total; ) {
    const bucket = buckets[i] as number
    let count = Math.min(Math.max(1, Math.floor(together())), total - i)
    const last = buckets[i + count - 1] as number
    while (i + count < total && buckets[i + count] === last) count++
    i += count
    const startKey = Math.max(fromKey, chunkKey + bucket * BUCKET_MS)
    const endKey = chunkKey + (last + 1) * BUCKET_MS
    // Only the first bucket may contain `fromKey`.
    const share = last === bucket ? (endKey - startKey) / BUCKET_MS : 1
    if (startKey < endKey && !visit(startKey, endKey, count * share)) return false
  }
  return true
}

/** Adds people to a bucket, in order. Most arrivals go at the end, so few entries move. */
function insert(chunk: Chunk, bucket: number, people: number): void {
  const total = chunk.total + people
  if (total > chunk.buckets.length) {
    const grown = new Uint16Array(Math.max(total, chunk.buckets.length * 2))
    grown.set(chunk.buckets)
    chunk.buckets = grown
  }
  const at = firstIn(chunk.buckets, chunk.total, bucket + 1)
  chunk.buckets.copyWithin(at + people, at, chunk.total)
  chunk.buckets.fill(bucket, at, at + people)
  chunk.total = total
}

function takeOut(chunk: Chunk, bucket: number, people: number): void {
  const at = firstIn(chunk.buckets, chunk.total, bucket)
  const gone = Math.min(people, firstIn(chunk.buckets, chunk.total, bucket + 1) - at)
  chunk.buckets.copyWithin(at, at + gone, chunk.total)
  chunk.total -= gone
}

/** Returns the index of the first person in this bucket or a later one. */
function firstIn(buckets: Uint16Array, total: number, bucket: number): number {
  let low = 0
  let high = total
  while (low < high) {
    const middle = (low + high) >> 1
    if ((buckets[middle] as number) < bucket) low = middle + 1
    else high = middle
  }
  return low
}

/** The chunk number of a bucket. */
export function chunkOf(bucket: number): number {
  return Math.floor(bucket / CHUNK_BUCKETS)
}
