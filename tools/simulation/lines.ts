/**
 * Numbers of one visitor that fill one line of the processor's cache. The processor then waits once for all of them, or
 * not at all when they were read ahead.
 */

/** A line contains this many doubles, or twice as many numbers of half their width. */
export const DOUBLES = 8
export const HALVES = 2 * DOUBLES

const DOUBLE_BYTES = 8
/** A large block of memory begins 16 bytes after the start of a cache line. Where it does not, this costs only time. */
const TO_NEXT_LINE_BYTES = 48

export function newLines(count: number): Float64Array<ArrayBuffer> {
  const memory = new ArrayBuffer(DOUBLE_BYTES * DOUBLES * (count + 1))
  return new Float64Array(memory, TO_NEXT_LINE_BYTES, DOUBLES * count)
}

/** The same lines as 32-bit integers. */
export function wholeOf({ buffer, byteOffset, length }: Float64Array): Int32Array {
  return new Int32Array(buffer, byteOffset, 2 * length)
}

/** The same lines as 32-bit floats. */
export function floatsOf({ buffer, byteOffset, length }: Float64Array): Float32Array {
  return new Float32Array(buffer, byteOffset, 2 * length)
}
