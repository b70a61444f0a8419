/**
 * The memory of an isolate about visitors, over all rooms. Every map is bounded, so that no crowd can fill the 128 MB
 * of an isolate: full maps take about 50 MB. If an entry is lost, this costs a verification or a call, but no place and
 * no limit.
 */
import { LRUCache } from 'lru-cache'
import type { ClaimAnswer } from '../../core/protocol/messages.ts'
import type { Again } from '../../core/session.ts'
import type { Ticket } from '../../core/ticket.ts'
import type { Invitation } from '../../tokens/invitations.ts'
import type { Token } from '../../tokens/tokens.ts'
import { Quotas } from '../limits/isolate-quotas.ts'
import type { SessionLimits } from '../limits/session.ts'
import { Turns } from '../limits/turns.ts'
import type { OwnSamples } from './ballots.ts'

/** The most verified tokens of each kind. A token and its claims take less than a kilobyte. */
const TOKENS = 16_000
const VISITORS = 10_000
/** The most hosts. A room with the host `*` serves any host that a visitor sends. */
const HOSTS = 1_000

export interface SessionMemory {
  /** Until this time requests pass without a call to the door. */
  untilMs: number
  /** From this time on a request renews the lease without waiting for it. */
  renewMs: number
  /** The end of the session, by the last answer of its door. */
  expiresMs: number
  /** The newest pass that was signed for the session. */
  token: string
  /** The tokens of rate limits that the door has lent. */
  limits: SessionLimits
  /** The session's samples of the origin and its upstreams, for its vote. */
  readonly samples: OwnSamples
  /** The last window of origin health in which this session was noted as being there. */
  notedWindow: number
}

/** A session that is over. */
export interface EndedSession {
  readonly untilMs: number
  /** The place at the front that its visitor may take. */
  readonly again: Again | null
  /** True if the visitor opened nothing for as long as a session lasts. */
  readonly byInactivity: boolean
  /** The place never began a session here: it is in another browser now. */
  readonly transferred: boolean
  /** The policy that ended the session, null if none did. */
  readonly requeuedBy: string | null
  /** The place that the visitor has got since then. */
  next: Ticket | null
}

/** The keys of a map are tokens or sids, which no two rooms share. A map with other keys has a comment. */
export class Memory {
  /** Passes have a separate map: a crowd outside must not cause verifications for the visitors inside. */
  readonly passes = new LRUCache<string, Token>({ max: TOKENS })
  readonly tickets = new LRUCache<string, Token>({ max: TOKENS })
  /** Verified invitations, by room and text. */
  readonly invitations = new LRUCache<string, Invitation>({ max: VISITORS })
  readonly sessions = new LRUCache<string, SessionMemory>({ max: VISITORS })
  /** Places that this isolate has counted in a line, and tickets that were given up for another lane. */
  readonly counted = new LRUCache<string, true>({ max: VISITORS })
  /** Places that were given up here. */
  readonly left = new LRUCache<string, true>({ max: VISITORS })
  /** Sessions that are over, by sid or by the name of their ticket. */
  readonly ended = new LRUCache<string, EndedSession>({ max: VISITORS })
  /** The last claim of a ticket. */
  readonly claims = new LRUCache<string, { readonly atMs: number; readonly answer: ClaimAnswer }>({ max: VISITORS })
  /**
   * When a session was let through as a trial after an outage. The key is a sid for a trial of the origin, and
   * `upstream/sid` for a trial of a named upstream.
   */
  readonly trials = new LRUCache<string, number>({ max: VISITORS })
  /** The earliest time at which a visitor may poll again, by sid. */
  readonly polls = new LRUCache<string, number>({ max: VISITORS })
  /** When a visitor outside last came over https, by host. */
  readonly https = new LRUCache<string, number>({ max: HOSTS })
  /** Parts of pages that wait for their turn. */
  readonly turns = new Turns()
  /** This isolate's own limits. */
  readonly quotas = new Quotas()
}
