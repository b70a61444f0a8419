/** The verdicts of the gate. Each has a reason, which is for operators. Visitors are shown only what helps them. */

import { own } from '../../core/own.ts'
import type { Place } from '../../core/place/place.ts'
import type { WhyRejected, WhyWaiting } from '../../core/place/steps.ts'
import type { Snapshot } from '../../core/protocol/messages.ts'
import type { Ticket } from '../../core/ticket.ts'
import type { SetChallenge } from '../first-use/challenge.ts'
import type { Refusal, WhyRefused } from '../limits/refusal.ts'
import type { Traced } from '../request/trace.ts'
import type { Visit } from '../request/visit.ts'
import type { RoomClient, RoomView } from '../room-client/room-client.ts'
import type { Invited } from '../room-client/tokens.ts'

export type Verdict =
  | { readonly kind: 'proxy'; readonly why: 'suspended' | 'bypass' | 'preflight' | 'passthrough' }
  /** The room answers the preflight itself. */
  | { readonly kind: 'preflight'; readonly why: 'preflight'; readonly room: RoomClient }
  | Admitted
  | Waiting
  | Rejected
  | TurnedAway
  /**
   * A form of another site that came without our cookie. A page of ours sends it once more, and nothing else is
   * decided.
   */
  | { readonly kind: 'resubmit'; readonly why: 'foreign-form'; readonly room: RoomClient }
  /** A newcomer over http, to be sent to https first. */
  | { readonly kind: 'https'; readonly why: 'newcomer'; readonly room: RoomClient }
  | Limited

/** Too many requests: the visitor is beyond a policy of the room, or beyond an isolate's own limit. */
export interface Limited {
  readonly kind: 'limited'
  readonly why: WhyRefused | 'preflights'
  readonly retryAfterMs: number
  /** The refusal with its room, and the session if there is one. Null for the limit on preflights. */
  readonly by: { readonly room: RoomClient; readonly sid: string | null; readonly refusal: Refusal } | null
}

export type WhyAdmitted =
  /** This isolate has a lease on the session, with tokens for the request. */
  | 'lease'
  /** The door has renewed the session for this request. */
  | 'renewed'
  /** The door has not answered in time. Its answer is for the next request. */
  | 'door-late'
  /** The door could not be asked. This isolate's own limit admitted the request. */
  | 'door-silent'
  /** This request has claimed, and was admitted. */
  | 'claimed'
  /** The visitor showed the ticket of a session that had begun before. This request has not been charged yet. */
  | 'claimed-before'
  /** The room could not be reached for so long that this isolate admits visitors by itself. */
  | 'room-failed'

export interface Admitted {
  readonly kind: 'admitted'
  readonly why: WhyAdmitted
  readonly room: RoomClient
  readonly sid: string
  /** The pass as the origin gets it. */
  readonly pass: string
  /** The visitor needs this pass in a cookie. */
  readonly isNew: boolean
  /** The page from which the visitor first came. Only the first requests of a session have it, otherwise null. */
  readonly referrer: string | null
}

export interface Waiting {
  readonly kind: 'waiting'
  readonly why: WhyWaiting
  readonly room: RoomClient
  readonly ticket: Ticket
  /** The new ticket for the visitor's cookie. Null if nothing changed, or if the cookie must stay as it is. */
  readonly token: string | null
  readonly place: Place
  readonly pollAfterMs: number
  readonly missed: boolean
  /** Whether the visitor has an invitation. */
  readonly invitation: Invited['kind']
  /**
   * Set if the visitor's session ended because the visitor opened nothing for as long as a session lasts. Otherwise
   * null.
   */
  readonly endedByInactivity: { readonly isAtFront: boolean } | null
  /** The challenge that this visitor has to solve before the place counts. Null for any other visitor. */
  readonly challenge: SetChallenge | null
  /** The policy that has ended this visitor's session, null if none has. */
  readonly requeuedBy: string | null
  /** Null while no door has ever answered this isolate. */
  readonly snapshot: Snapshot | null
}

/**
 * The visitor is rejected: the room keeps no line for newcomers, has used up its budget, or needs an invitation. If the
 * visitor has a ticket, it is kept.
 */
export interface Rejected {
  readonly kind: 'rejected'
  readonly why: WhyRejected
  readonly room: RoomClient
  readonly retryAfterMs: number
  /** Null while no door has ever answered this isolate. */
  readonly snapshot: Snapshot | null
}

/** A short 503 without a page. A part of a page has the same reason for which its page would wait or be rejected. */
export interface TurnedAway {
  readonly kind: 'turned-away'
  readonly why:
    | 'prefetch'
    /** The session ended while its visitor was let in. */
    | 'session-ended'
    | WhyWaiting
    | WhyRejected
  readonly retryAfterMs: number
  /** The verdict that a page would get in this place. Null if there is none. */
  readonly page: Waiting | Rejected | null
}

/** A verdict in the form that its page needs. A preview makes such verdicts for visitors who do not exist. */
export type OnPage<Decided> = Omit<Decided, 'room'> & { readonly room: RoomView }

/** The verdicts that only a poll can get. */
export type PollVerdict =
  | Admitted
  | Waiting
  | Rejected
  | Limited
  /** The visitor needs no place, so the page may go on. */
  | { readonly kind: 'inside'; readonly why: 'suspended' | 'observe' | 'passthrough' }
  /** The visitor has a pass. The session lasts at least until this time. */
  | { readonly kind: 'inside'; readonly why: 'pass'; readonly endsMs: number }
  /** The visitor shows no ticket: cookies are off, or the ticket was from another generation of the room. */
  | { readonly kind: 'no-place'; readonly why: 'no-ticket' }
  /** This isolate may be unable to read the token yet. */
  | { readonly kind: 'unreadable'; readonly why: 'unknown-token' }
  | { readonly kind: 'too-early'; readonly why: 'pace'; readonly retryAfterMs: number }

export function limitedBy(room: RoomClient, sid: string | null, refusal: Refusal): Limited {
  return { kind: 'limited', why: refusal.why, retryAfterMs: refusal.retryAfterMs, by: { room, sid, refusal } }
}

/** Counts a verdict for the operator, and adds it to the trace of its request. */
export function noteVerdict({ trace, nowMs }: Visit, room: RoomClient, verdict: Verdict | PollVerdict): void {
  // Nearly all requests are from live sessions. They are not counted, to save time.
  if (verdict.why !== 'lease' && verdict.why !== 'renewed') room.count(`verdict/${verdict.kind}/${verdict.why}`)
  if (!trace) return
  const snapshotAgeMs = room.sync.snapshotAgeMs(nowMs)
  const place = verdict.kind === 'waiting' ? placeTraced(verdict) : {}
  trace.note({ room: room.name, verdict: verdict.kind, why: verdict.why, ...place, snapshotAgeMs })
}

function placeTraced({ ticket: { key, lane }, snapshot }: Waiting): Pick<Traced, 'key' | 'frontier'> {
  return { key, frontier: (snapshot && own(snapshot.lanes, lane)?.frontierKey) ?? null }
}

/** True if this isolate has admitted a request by itself, because no door could be asked. */
export function isFallback({ why }: Admitted): boolean {
  return why === 'door-silent' || why === 'room-failed'
}

/** True if the visitor is rejected because there is no valid invitation. */
export function needsInvitation(why: WhyRejected): boolean {
  return why === 'uninvited' || why === 'invalid-invitation'
}
