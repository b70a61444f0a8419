/** The verdicts of the gate. */

import type { Place } from '../../core/place/place.ts'
import type { WhyRejected, WhyWaiting } from '../../core/place/step.ts'
import type { View } from '../../core/protocol/messages.ts'
import type { Ticket } from '../../core/ticket.ts'
import type { Refusal } from '../limits/limits.ts'
import type { RoomClient } from '../room-client/room-client.ts'
import type { Invited } from '../room-client/tokens.ts'

export type Verdict =
  | { readonly kind: 'proxy'; readonly why: 'suspended' | 'bypass' | 'preflight' | 'passthrough' }
  /** The room answers the preflight itself. */
  | { readonly kind: 'preflight'; readonly room: RoomClient }
  | Admitted
  | Waiting
  | Rejected
  /** A short 503 without a page: for parts of pages, for prefetches, and for a session that ends while it is let in. */
  | { readonly kind: 'turned-away'; readonly retryAfterMs: number }
  /** A newcomer over http, to be sent to https first. */
  | { readonly kind: 'https'; readonly room: RoomClient }
  | Limited

/** Too many requests: beyond a policy of the room, or beyond an isolate's own limit. */
export interface Limited {
  readonly kind: 'limited'
  readonly retryAfterMs: number
  /** The refusal, its room, and the session, if there is one. Null for the limit on preflights. */
  readonly by: { readonly room: RoomClient; readonly sid: string | null; readonly refusal: Refusal } | null
}

export interface Admitted {
  readonly kind: 'admitted'
  readonly room: RoomClient
  readonly sid: string
  /** The pass as the origin gets it. */
  readonly pass: string
  /** The visitor needs this pass in a cookie. */
  readonly isNew: boolean
  /** Let in by this very request. */
  readonly justIn?: boolean
  /** The visitor showed the ticket of a session that had begun before. This request has not been charged yet. */
  readonly wasIn?: boolean
  /** The door could not be asked. This isolate's own limit admitted the request. */
  readonly fallback: boolean
}

export interface Waiting {
  readonly kind: 'waiting'
  readonly why: WhyWaiting
  readonly room: RoomClient
  readonly ticket: Ticket
  /** The ticket for the visitor's cookie. Null when nothing changed, or when the cookie must stay as it is. */
  readonly token: string | null
  readonly place: Place
  readonly pollAfterMs: number
  readonly missed: boolean
  /** Whether an invitation came along. */
  readonly invitation: Invited['kind']
  /** The policy that has ended this visitor's session, null when none has. */
  readonly requeuedBy: string | null
  /** Null while no door has ever answered this isolate. */
  readonly view: View | null
}

/**
 * Turned away: the room keeps no line for newcomers, has used up its budget, or needs an invitation. A ticket in hand
 * is kept.
 */
export interface Rejected {
  readonly kind: 'rejected'
  readonly why: WhyRejected
  readonly room: RoomClient
  readonly retryAfterMs: number
  /** Null while no door has ever answered this isolate. */
  readonly view: View | null
}

/** Whether a visitor is rejected for want of a valid invitation. */
export function needsInvitation(why: WhyRejected): boolean {
  return why === 'uninvited' || why === 'invalid-invitation'
}
