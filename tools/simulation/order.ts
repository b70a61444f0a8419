/** How far a crowd was admitted out of order. */

/** Returns how many places each admission came after its rank by key. It is negative for one that came before. */
export function displacementPlaces(keys: readonly number[]): number[] {
  const byKey = Uint32Array.from(keys, (_, index) => index).sort(
    (a, b) => (keys[a] as number) - (keys[b] as number) || a - b,
  )
  const places = new Array<number>(keys.length).fill(0)
  byKey.forEach((index, rank) => {
    places[index] = index - rank
  })
  return places
}

/** Returns Kendall's tau, which compares the order of admission with the order of keys. */
export function kendallTau(keys: readonly number[]): number {
  const n = keys.length
  return n < 2 ? 1 : 1 - (4 * inversionsOf(keys)) / (n * (n - 1))
}

/** Returns how many of these ascending times fall in the fullest window. A window does not contain its end. */
export function maxIn(times: readonly number[], windowMs: number): number {
  let most = 0
  let from = 0
  for (let to = 0; to < times.length; to++) {
    while ((times[to] as number) - (times[from] as number) >= windowMs) from++
    most = Math.max(most, to - from + 1)
  }
  return most
}

export function quantile(sorted: ArrayLike<number>, share: number): number {
  if (sorted.length === 0) return 0
  return sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] as number
}

/** The median of each series of measurements. */
export function medians(measured: ReadonlyMap<string, readonly number[]>): Map<string, number> {
  return new Map([...measured].map(([name, values]) => [name, quantile(Float64Array.from(values).sort(), 0.5)]))
}

export function round(value: number, digits: number): number {
  return Number(value.toFixed(digits))
}

/** Merge sort from the bottom up. Each larger value that a smaller one overtakes is one inversion. */
function inversionsOf(keys: readonly number[]): number {
  let from = Float64Array.from(keys)
  let to = new Float64Array(keys.length)
  let inversions = 0
  for (let width = 1; width < keys.length; width *= 2) {
    for (let start = 0; start < keys.length; start += 2 * width) {
      const middle = Math.min(start + width, keys.length)
      const end = Math.min(start + 2 * width, keys.length)
      let left = start
      let right = middle
      for (let i = start; i < end; i++) {
        if (right >= end || (left < middle && (from[left] as number) <= (from[right] as number))) {
          to[i] = from[left++] as number
        } else {
          to[i] = from[right++] as number
          inversions += middle - left
        }
      }
    }
    ;[from, to] = [to, from]
  }
  return inversions
}
