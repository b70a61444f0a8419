/**
 * Numbers of one visitor each that fill a line of the processor's cache: what is far away in memory is then waited for once, or
 * not at all when it was read ahead.
 */

/** Of a line: so many doubles, or twice as many numbers of half their width. */
export const DOUBLES = 8
export const HALVES = 2 * DOUBLES

const DOUBLE_BYTES = 8
/** A large block of memory begins sixteen bytes behind a line's start. Elsewhere this costs time and nothing else. */
const TO_NEXT_LINE_BYTES = 48

export function newLines(count: number): Float64Array<ArrayBuffer> {
  const memory = new ArrayBuffer(DOUBLE_BYTES * DOUBLES * (count + 1))
  return new Float64Array(memory, TO_NEXT_LINE_BYTES, DOUBLES * count)
}

/** The same lines as whole numbers of 32 bits. */
export function wholeOf({ buffer, byteOffset, length }: Float64Array): Int32Array {
  return new Int32Array(buffer, byteOffset, 2 * length)
}

/** The same lines as numbers with a fraction, of half the precision. */
export function floatsOf({ buffer, byteOffset, length }: Float64Array): Float32Array {
  return new Float32Array(buffer, byteOffset, 2 * length)
}
