/** The entry of the browser's Web Worker. A message with a question gets a message with its answer. */
import { type Question, type Rehearsal, rehearse } from './rehearse.ts'

/** A Web Worker's own global. This project's types know the Worker of an edge only. */
interface WorkerScope {
  onmessage: ((event: { readonly data: Question }) => void) | null
  postMessage(message: Rehearsal): void
}

const scope = globalThis as unknown as WorkerScope

scope.onmessage = ({ data }) => scope.postMessage(rehearse(data))
