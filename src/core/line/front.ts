/**
 * The first people of a line, one by one, so that an edge shows each of them the exact place. The curve counts the
 * people behind them.
 */
import { type Arrivals, arrivalBucketOf, BUCKET_MS } from './arrivals.ts'
import { aheadOf, type Curve } from './curve.ts'

/**
 * The arrival bucket of each person, in order, as the distance from the bucket before. The first one is the distance
 * from the bucket of the frontier. These are small whole numbers, so each of them travels in two to four bytes.
 */
export type Front = readonly number[]

/**
 * The front travels to every edge each second. A front of 1,000 people is 3 KB if they came close together, and 5 KB
 * otherwise.
 */
const FRONT_PEOPLE_MAX = 1_000

/** V8 stores a distance up to this one in few bytes, and a larger one in nine bytes. This distance is 37 hours. */
const DISTANCE_MAX = 2 ** 30 - 1

/**
 * The front never ends within a bucket. If the frontier has called a part of a bucket, its remaining people count as
 * whole people.
 */
export function frontOf(arrivals: Arrivals, fromKey: number, peopleMax = FRONT_PEOPLE_MAX): Front {
  const front: number[] = []
  let last = arrivalBucketOf(fromKey)
  arrivals.forEach(fromKey, (startKey, _endKey, count) => {
    const people = Math.round(count)
    const bucket = arrivalBucketOf(startKey)
    if (front.length + people > peopleMax || bucket - last > DISTANCE_MAX) return false
    for (let i = 0; i < people; i++) {
      front.push((bucket - last) | 0)
      last = bucket
    }
    return true
  })
  return front
}

const NOBODY: Front = []

/** A line as edges see it. The front is absent in a snapshot of an earlier version. */
interface Seen {
  readonly frontierKey: number
  readonly front?: Front
  readonly curve: Curve
}

/**
 * Returns the people ahead of a ticket. A ticket in the front gets a whole number, unless other tickets share its
 * bucket. A confirmed ticket is itself a part of the line.
 */
export function peopleAhead(
  { frontierKey, front = NOBODY, curve }: Seen,
  ticket: { key: number; confirmed: boolean },
): number {
  const distances = distancesOf(front)
  const distance = arrivalBucketOf(ticket.key) - arrivalBucketOf(frontierKey)
  const before = firstAtLeast(distances, distance)
  const part = (ticket.key / BUCKET_MS) % 1
  if (before < distances.length) return before + others(firstAtLeast(distances, distance + 1) - before, ticket) * part
  return Math.max(before, aheadOf(curve, ticket.key) - (ticket.confirmed ? part : 0))
}

/** Many tickets are compared with the front of one snapshot. So the sums are computed once for each front. */
const sums = new WeakMap<Front, Float64Array>()

/** Returns the distance of each person's bucket from the bucket of the frontier. The distances never fall. */
function distancesOf(front: Front): Float64Array {
  const known = sums.get(front)
  if (known) return known
  const distances = new Float64Array(front.length)
  let distance = 0
  for (let i = 0; i < front.length; i++) {
    distance += front[i] as number
    distances[i] = distance
  }
  sums.set(front, distances)
  return distances
}

/** Returns the index of the first distance of at least `wanted`, or the length if there is none. */
function firstAtLeast(distances: Float64Array, wanted: number): number {
  let low = 0
  let high = distances.length
  while (low < high) {
    const middle = (low + high) >> 1
    if ((distances[middle] as number) < wanted) low = middle + 1
    else high = middle
  }
  return low
}

/** Leaves out the visitor's own ticket, if it is confirmed. It may not be counted yet. */
function others(people: number, { confirmed }: { readonly confirmed: boolean }): number {
  return confirmed ? Math.max(0, people - 1) : people
}
