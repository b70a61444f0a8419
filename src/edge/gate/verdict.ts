/** What the gate may say of a request. */

import type { Place } from '../../core/place/place.ts'
import type { View } from '../../core/protocol/messages.ts'
import type { Ticket } from '../../core/ticket.ts'
import type { Refusal } from '../limits/limits.ts'
import type { Invited, RoomAtEdge } from '../room-client/room-client.ts'

export type Verdict =
  | { readonly kind: 'proxy'; readonly why: 'suspended' | 'bypass' | 'preflight' | 'passthrough' }
  /** The room answers the preflight itself. */
  | { readonly kind: 'preflight'; readonly room: RoomAtEdge }
  | Admitted
  | Waiting
  | Rejected
  /** A short 503 for what nobody reads: parts of pages, prefetches. */
  | { readonly kind: 'turned-away'; readonly retryAfterMs: number }
  /** A newcomer over http, to be sent to https first. */
  | { readonly kind: 'https'; readonly room: RoomAtEdge }
  | Limited

/** Too many requests, by a policy of the room or by what its isolate allows without a session. */
export interface Limited {
  readonly kind: 'limited'
  readonly retryAfterMs: number
  /** The policy that says no, and the session, if there is one; null for what an isolate allows without a policy. */
  readonly by: { readonly room: RoomAtEdge; readonly sid: string | null; readonly refusal: Refusal } | null
}

export interface Admitted {
  readonly kind: 'admitted'
  readonly room: RoomAtEdge
  readonly sid: string
  /** The pass as the origin gets it. */
  readonly pass: string
  /** The visitor needs this pass in a cookie. */
  readonly isNew: boolean
  /** Let in by this very request. */
  readonly justIn?: boolean
  /** A ticket was shown of a session that had begun before: nothing has been charged yet for this request. */
  readonly wasIn?: boolean
  /** The door could not be asked; this isolate's own limit let it through. */
  readonly fallback: boolean
}

export interface Waiting {
  readonly kind: 'waiting'
  readonly room: RoomAtEdge
  readonly ticket: Ticket
  /** The ticket as the visitor must keep it, null when nothing changed or its cookie must be left alone. */
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

/** Turned away by a room that keeps no line for newcomers, or that has admitted all it would. A ticket in hand is kept. */
export interface Rejected {
  readonly kind: 'rejected'
  readonly room: RoomAtEdge
  readonly retryAfterMs: number
  readonly view: View | null
  /** Nothing is left of the room's budget; else there is no place. */
  readonly soldOut: boolean
  /** The room is for those invited: the visitor brought no invitation, or one that is not valid; null for who is turned away otherwise. */
  readonly uninvited: 'none' | 'invalid' | null
}
