/**
 * What an isolate may remember of visitors, over all rooms. Every map is bounded, so that no crowd can fill an isolate's 128 MB: full,
 * they take about 50 MB. Forgetting costs a verification or an object call, never a place or a limit.
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

/** Verified tokens of each kind: a token and its claims are under a kilobyte. */
const TOKENS = 16_000
const VISITORS = 10_000
/** A room of `*` serves any host that a visitor writes. */
const HOSTS = 1_000

export interface Lease {
  /** Requests pass without asking until then. */
  untilMs: number
  /** From then on a request renews the lease without waiting for it. */
  renewMs: number
  /** The door's word on the session. */
  expiresMs: number
  /** The newest pass signed for it. */
  token: string
  /** Requests lent by the door. */
  limits: SessionLimits
  /** How often the session was sampled in this window of its origin's health. */
  sampledWindow: number
  /** The last window in which the session had something bad to say of a named upstream: no more than that counts. */
  complainedWindow: number
  /** The last window in which its complaint was passed on. */
  toldWindow: number
  samples: number
}

/** A session that is over. */
export interface Gone {
  readonly untilMs: number
  /** The place at the front that its visitor may take. */
  readonly again: Again | null
  /** The policy that has ended it. */
  readonly requeuedBy: string | null
  /** The place that its visitor has got since. */
  next: Ticket | null
}

/** Keys are tokens or sids, which no two rooms share. */
export class Memory {
  /** Apart from the tickets: a crowd outside must not cost those inside a verification. */
  readonly passes = new LRUCache<string, Token>({ max: TOKENS })
  readonly tickets = new LRUCache<string, Token>({ max: TOKENS })
  /** Verified invitations, by room and text. */
  readonly invitations = new LRUCache<string, Invitation>({ max: VISITORS })
  readonly leases = new LRUCache<string, Lease>({ max: VISITORS })
  /** Sids that were counted in a line here, and tickets that were given up for another. */
  readonly confirmed = new LRUCache<string, true>({ max: VISITORS })
  /** Places that were given up here. */
  readonly left = new LRUCache<string, true>({ max: VISITORS })
  /** Sessions that are over, by sid or by ticket. */
  readonly gone = new LRUCache<string, Gone>({ max: VISITORS })
  /** The last claim of a ticket. */
  readonly claims = new LRUCache<string, { readonly atMs: number; readonly answer: ClaimAnswer }>({ max: VISITORS })
  /** When sids were let in while the origin was tried after an outage, and when `<upstream>/<sid>` tried another. */
  readonly trials = new LRUCache<string, number>({ max: VISITORS })
  /** When a visitor may poll again at the earliest. */
  readonly polls = new LRUCache<string, number>({ max: VISITORS })
  /** When newcomers last came over https, by host. */
  readonly https = new LRUCache<string, number>({ max: HOSTS })
  /** Parts of pages that wait for their turn. */
  readonly turns = new Turns()
  /** This isolate's own limits. */
  readonly quotas = new Quotas()
}
