/** Reads the arrivals of a crowd from a CSV file: measured traffic instead of an even stream. */

/** The most visitors of a file: more than the largest room could serve in days. */
export const VISITORS_MAX = 5_000_000
const SECONDS_MAX = 864_000

/** A mistake in the file. The message names the line. */
export class ArrivalsError extends Error {
  override name = 'ArrivalsError'
}

/**
 * Returns the arrivals in milliseconds after the start, in ascending order. A line is `SECONDS`, the arrival of one
 * visitor, or `SECOND,COUNT`: COUNT visitors arrive evenly within that second. The first line may name the columns.
 * Empty lines and lines that begin with # are skipped.
 */
export function readArrivals(text: string): Float64Array {
  const arrivals: number[] = []
  text.split(/\r?\n/).forEach((line, index) => {
    const trimmed = line.trim()
    if (trimmed === '' || trimmed.startsWith('#') || (index === 0 && !/\d/.test(trimmed))) return
    const fields = trimmed.split(',').map(field => field.trim())
    const [seconds = '', count] = fields
    const fail = (what: string) => new ArrivalsError(`line ${index + 1}: ${what}, got "${trimmed.slice(0, 80)}"`)
    if (fields.length > 2) throw fail('expected SECONDS or SECOND,COUNT')
    if (!isNumber(seconds, SECONDS_MAX))
      throw fail(`seconds must be a number, 0 to ${SECONDS_MAX.toLocaleString('en')}`)
    if (count !== undefined && !(isNumber(count, VISITORS_MAX) && Number.isInteger(Number(count)))) {
      throw fail(`the count must be a whole number, 0 to ${VISITORS_MAX.toLocaleString('en')}`)
    }
    const people = count === undefined ? 1 : Number(count)
    if (arrivals.length + people > VISITORS_MAX)
      throw fail(`more than ${VISITORS_MAX.toLocaleString('en')} visitors in all`)
    for (let i = 0; i < people; i++) arrivals.push((Number(seconds) + i / people) * 1_000)
  })
  if (arrivals.length === 0) throw new ArrivalsError('line 1: no visitor arrives')
  return Float64Array.from(arrivals).sort()
}

function isNumber(text: string, most: number): boolean {
  return /^\d+(\.\d+)?$/.test(text) && Number(text) <= most
}
