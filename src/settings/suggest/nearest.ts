/** Finds the known name that an operator probably meant by a misspelt one. */

/** A name with more characters is not compared, so that the work is bounded. */
const LENGTH_MAX = 64

/** Returns the known name with the fewest typing errors, or null if no name is near. */
export function nearest(given: string, known: readonly string[]): string | null {
  if (given.length > LENGTH_MAX) return null
  const wanted = plain(given)
  let best: string | null = null
  // A third of the letters may be wrong, and at most three.
  let least = Math.min(3, Math.floor(wanted.length / 3)) + 1
  for (const name of known) {
    const errors = distance(wanted, plain(name))
    if (errors < least) [best, least] = [name, errors]
  }
  return best
}

/** Returns a name without capitals and without signs between words, because these are often confused. */
function plain(name: string): string {
  return name.toLowerCase().replaceAll('-', '_')
}

/**
 * Counts typing errors: letters that are missing, too many, wrong, or swapped with the next one (optimal string
 * alignment).
 */
function distance(a: string, b: string): number {
  let older: number[] = []
  let old = Array.from({ length: b.length + 1 }, (_, column) => column)
  for (let i = 1; i <= a.length; i++) {
    const row = [i]
    for (let j = 1; j <= b.length; j++) {
      const isSame = a[i - 1] === b[j - 1]
      const steps = [(old[j] ?? 0) + 1, (row[j - 1] ?? 0) + 1, (old[j - 1] ?? 0) + (isSame ? 0 : 1)]
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]) steps.push((older[j - 2] ?? 0) + 1)
      row.push(Math.min(...steps))
    }
    ;[older, old] = [old, row]
  }
  return old[b.length] ?? 0
}
