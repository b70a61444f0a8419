/**
 * The entry point of the browser's Web Worker. It answers each message with a question by a message with the result.
 */
import { type Question, type Rehearsal, rehearse } from './rehearse.ts'

/** The global object of a Web Worker. The types of this project describe only the Worker of an edge. */
interface WorkerScope {
  onmessage: ((event: { readonly data: Question }) => void) | null
  postMessage(message: Rehearsal): void
}

const scope = globalThis as unknown as WorkerScope

scope.onmessage = ({ data }) => scope.postMessage(rehearse(data))
