/** One request, its answer, and what the origin got of it. */
import type { Answer } from './connection.ts'
import type { Sent } from './draft.ts'
import type { Arrival } from './origin.ts'

export interface Exchange {
  readonly sent: Sent
  readonly answer: Answer
  readonly arrivals: readonly Arrival[]
}
