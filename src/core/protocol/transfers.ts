/** The messages between an edge and a door about places that go from one browser to another. */

/** A place that its visitor wants to take along to another browser. */
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
  /** The place was used, given up, or is in another browser already. */
  | { readonly verdict: 'over' }
  /** The door keeps as many codes as it may. */
  | { readonly verdict: 'full' }

/** A browser that takes a place by a code. `by` names the attempt, so that a repeated call gets the same answer. */
export interface TransferTake {
  readonly code: string
  readonly by: string
}

export type TakeAnswer =
  | { readonly verdict: 'taken'; readonly token: string; readonly to: string; readonly transfers: number }
  /** No such code, or not any more. */
  | { readonly verdict: 'none' }
