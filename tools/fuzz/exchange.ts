/** One request, its answer, and what arrived at the origin. */
import type { Answer } from './connection.ts'
import type { Sent } from './draft.ts'
import type { Arrival } from './origin.ts'

export interface Exchange {
  readonly sent: Sent
  readonly answer: Answer
  readonly arrivals: readonly Arrival[]
}
