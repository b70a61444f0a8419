/**
 * Answers without an end, such as event streams. They keep their sessions alive while they are read, and are ended when
 * a session ends.
 *
 * Their bodies are read in the Worker, which costs more than a third of a plain proxy. No other answer is read like
 * that: a download that has begun inside goes on to its end.
 */
import type { Admitted } from '../gate/verdict.ts'
import type { Visit } from '../request/visit.ts'
import { whileOpen } from './while-open.ts'

/** Event streams (HTML, section 9.2), and series of pictures as cameras send them. */
const ENDLESS = /^(text\/event-stream|multipart\/x-mixed-replace)\b/i

/** Returns the answer. An answer without an end is ended when one of its sessions ends. */
export function endingWithSession(visit: Visit, response: Response, admissions: readonly Admitted[]): Response {
  if (admissions.length === 0 || !ENDLESS.test(response.headers.get('Content-Type') ?? '')) return response
  // Do not read `body` earlier: for an ordinary answer that would create an object for nothing.
  const reader = response.body?.getReader()
  if (!reader) return response
  const stops: (() => void)[] = []
  let isOver = false
  const stop = () => {
    isOver = true
    for (const each of stops) each()
  }
  const guarded = new ReadableStream<Uint8Array>({
    start(controller) {
      for (const admission of admissions) {
        const end = () => {
          stop()
          void reader.cancel('the session has ended').catch(() => undefined)
          // This is a regular end: the page connects again, and finds its place in line.
          controller.close()
        }
        stops.push(whileOpen(visit, admission, end))
      }
    },
    async pull(controller) {
      try {
        const read = await reader.read()
        if (isOver) return
        if (!read.done) return controller.enqueue(read.value)
        stop()
        controller.close()
      } catch (error) {
        stop()
        controller.error(error)
      }
    },
    cancel(reason) {
      stop()
      return reader.cancel(reason)
    },
  })
  return new Response(guarded, response)
}
