/** Waiting that has an end: whatever another tier or the origin does, somebody waits here for an answer. */

/** The promise's value, or `late` when it takes longer. What comes after that is for nobody; a failure then is no failure. */
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
