/**
 * A time limit for a body that stops arriving. The body is then read in the Worker, which costs more than a third of a
 * plain proxy. So this is only for rooms that request it.
 */

/** Returns the answer with a time limit: when no byte has come for `idleMs`, it is cut off and `stopped` is called. */
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
