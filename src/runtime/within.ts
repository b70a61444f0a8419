/** Waits with a deadline, so that a visitor is answered in time even when another tier or the origin hangs. */

/**
 * Returns the promise's value, or `late` when it takes longer than `ms`. The promise is not cancelled. Its later result
 * or rejection is ignored.
 */
export async function within<Value>(ms: number, promise: Promise<Value>): Promise<Value | 'late'> {
  let timer: number | null = null
  const late = new Promise<'late'>(resolve => {
    timer = setTimeout(() => resolve('late'), Math.max(0, ms))
  })
  try {
    return await Promise.race([promise, late])
  } finally {
    clearTimeout(timer)
  }
}
