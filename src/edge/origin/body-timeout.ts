/**
 * A time limit for bodies that stop. The body is read in the Worker, which costs more than a third of a plain proxy. So
 * only a room that asks for it pays for it.
 */

/** Returns the same answer, cut off when no byte has come for `idleMs`. Calls `stopped` then. */
export function withIdleTimeout(response: Response, idleMs: number, stopped: () => void): Response {
  const { body, headers } = response
  if (!body || headers.get('Content-Type')?.startsWith('text/event-stream')) return response
  const reader = body.getReader()
  const guarded = new ReadableStream<Uint8Array>({
    async pull(controller) {
      let timer: number | null = null
      const idle = new Promise<'idle'>(resolve => {
        timer = setTimeout(() => resolve('idle'), idleMs)
      })
      try {
        const read = await Promise.race([reader.read(), idle])
        if (read === 'idle') {
          stopped()
          void reader.cancel('the origin stopped in the middle of an answer').catch(() => undefined)
          controller.error(new Error('the origin stopped in the middle of an answer'))
        } else if (read.done) controller.close()
        else controller.enqueue(read.value)
      } finally {
        clearTimeout(timer)
      }
    },
    cancel: reason => reader.cancel(reason),
  })
  return new Response(guarded, response)
}
