/** The messages between an edge and a door about places that go from one browser to another. */

/** A place that its visitor wants to move to another browser. */
export interface TransferOffer {
  readonly code: string
  readonly sid: string
  readonly takenMs?: number
  readonly transfers?: number
  /** The signed ticket. The door does not read it. */
  readonly token: string
  /** The path at which the visitor waits. */
  readonly to: string
}

export type OfferAnswer =
  | { readonly verdict: 'offered'; readonly untilMs: number }
  /** The place was used, was given up, or is in another browser already. */
  | { readonly verdict: 'over' }
  /** The door has as many codes as it may have. */
  | { readonly verdict: 'full' }

/**
 * A browser's request for a place by its code. `by` names the attempt, so that a repeated call gets the same answer.
 */
export interface TransferTake {
  readonly code: string
  readonly by: string
}

export type TakeAnswer =
  | { readonly verdict: 'taken'; readonly token: string; readonly to: string; readonly transfers: number }
  /** There is no such code, or it has ended. */
  | { readonly verdict: 'none' }
