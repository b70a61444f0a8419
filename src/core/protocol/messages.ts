/**
 * The messages between the tiers. Counters are totals, never differences; a repeated or late message changes nothing.
 *
 * Reports flow up, leases flow down: edge and door both `sync` with the tier above, a door answers `claim` and `touch`.
 */

import type { EventsView } from '../events/events.ts'
import type { HealthView } from '../health/effect.ts'
import type { Batches } from '../line/batches.ts'
import type { LaneView } from '../line/line.ts'
import type { Slowed } from '../line/slowdown.ts'
import type { Again } from '../session.ts'
import type { TallyReport } from '../tally.ts'

/** What a tier needs to know of the room to decide about somebody who is not inside. */
export interface View {
  /** The room's clock when it was made. */
  readonly asOfMs: number
  readonly generation: number
  /** Nobody waits and permits remain: newcomers claim without a line. */
  readonly open: boolean
  /** No permits are granted: queue_all, a rate of zero, nothing left of the budget. */
  readonly held: boolean
  /** The budget of `remaining` is spent. */
  readonly soldOut?: boolean
  /** Every place is taken. */
  readonly full: boolean
  /** Admissions per second the room would grant at most. */
  readonly ratePerSecond: number
  /** Why waits may have grown lately; null or absent when nothing happened. */
  readonly slowed?: Slowed | null
  /** What health has changed; absent while everything is as the operator says. */
  readonly health?: HealthView
  /** How newcomers are drawn; null or absent where places are given by arrival. */
  readonly batches?: Batches | null
  /** Up to here the room has all counts; absent in a view of a room that does not know batches. */
  readonly settledKey?: number
  /** Null or absent where no event is scheduled. */
  readonly events?: EventsView | null
  readonly lanes: Readonly<Record<string, LaneView>>
}

/** One door's wish for permits in one lane. */
export interface Demand {
  readonly lane: string
  /** Called visitors refused within the last poll interval, and claims waiting for this very answer. */
  readonly standing: number
  readonly oldestKey: number
  /** Claims per second lately. */
  readonly perSecond: number
}

/** Edge to door. `isolate` is a random id; a silent isolate starts a new one. */
export interface EdgeReport extends TallyReport {
  readonly isolate: string
  /** Version of the settings the edge has. */
  readonly version: string
}

export interface EdgeReply<Settings> {
  readonly seq: number
  readonly view: View
  readonly version: string
  /** Present when the edge's version is another. */
  readonly settings?: Settings
  /** How long the door has tried to reach the room in vain; 0 when all is well. */
  readonly silentMs: number
}

/** Door to room. `spent` and `returned` are totals of the epoch. */
export interface DoorReport extends TallyReport {
  readonly door: string
  readonly epoch: number
  readonly spent: number
  readonly returned: number
  /** Sessions now. */
  readonly live: number
  /** Permits spent or returned in this epoch that were meant for a lane beside the main one, in total; absent where none were. */
  readonly gone?: Readonly<Record<string, number>>
  /** Whether the door takes the room for open: then newcomers stand, otherwise called visitors. */
  readonly open: boolean
  readonly demand: readonly Demand[]
  readonly version: string
}

export interface DoorReply<Settings> {
  readonly epoch: number
  readonly seq: number
  /** Permits granted in this epoch, in total. */
  readonly granted: number
  /** Those of them that are meant for a lane beside the main one; absent where none are. */
  readonly lanes?: Readonly<Record<string, number>>
  readonly view: View
  readonly version: string
  readonly settings?: Settings
}

/** Edge to door: exchange a place for a session. */
export interface Claim {
  readonly sid: string
  readonly key: number
  readonly lane: string
  readonly generation: number
  /** Refused, this visitor is gone: the room keeps no line for newcomers. */
  readonly leaves?: boolean
  /** When the place was taken that an invitation has named: a session of this sid that was over by then is not in its way. */
  readonly takenMs?: number
  /** What the request costs that comes in with the claim, charged if it is admitted. */
  readonly asks?: readonly Ask[]
}

/** A place in line, as its ticket says: what its door needs to know of it once it is given up. */
export type PlaceLeft = Pick<Claim, 'key' | 'lane' | 'takenMs'>

export type ClaimAnswer =
  | {
      readonly verdict: 'admitted'
      readonly issuedMs: number
      readonly expiresMs: number
      /** Where the session has another name than the claim: a later one of the same invitation. */
      readonly sid?: string
      /** The session was there before this claim: the request that came with it is one like any other, and was not charged. */
      readonly known?: true
      /** What is left of the policies that were asked about, in the order asked. */
      readonly grants?: readonly Grant[]
    }
  | { readonly verdict: 'none'; readonly retryAfterMs: number }
  /** This sid had its session. `again` is the place it may take instead, when it left only a moment ago. */
  | { readonly verdict: 'ended'; readonly again: Again | null }

/**
 * What an isolate says of its lease of one bucket, and asks for beyond: the lease goes on with what it has and what is granted. The same
 * ask, by lease and number, is granted once.
 */
export interface Ask {
  /** Names what one isolate has of one bucket; chosen there, never used for another. */
  readonly lease: string
  /** Asks of a lease are numbered upwards. */
  readonly nth: number
  readonly policy: string
  /** The policy's name, or the name and a path. */
  readonly bucket: string
  /** Tokens used of it in total. */
  readonly used: number
  /** How long ago the last of them was used, by the isolate's clock; absent for just now. */
  readonly usedAgoMs?: number
  /** Tokens it keeps: what else was lent is given back. */
  readonly has: number
  /** Tokens that requests wait for. */
  readonly want: number
  /** The tokens of one request: a grant of fewer is of no use. */
  readonly least: number
  /** Tokens for requests to come. */
  readonly spare: number
  /** Tokens that were used without having been lent: charged whatever the debt is. */
  readonly owed?: number
}

export interface Grant {
  readonly tokens: number
  /** What could still be lent. */
  readonly remaining: number
  /** 0 when all that was wanted is granted; else when one request could be, if nobody reports before. */
  readonly retryAfterMs: number
}

/** Edge to door, several at a time: an admitted session goes on. */
export interface Touch {
  readonly sid: string
  /** The request is on a protected path: the session lasts at least this much longer. 0 on other paths. */
  readonly protectMs: number
  readonly asks?: readonly Ask[]
  /** Only reports what was used: no request stands behind it, so nothing is renewed. */
  readonly isIdle?: boolean
}

export type TouchAnswer =
  | {
      readonly verdict: 'live'
      readonly expiresMs: number
      readonly leaseMs: number
      /** In the order asked; absent when nothing was. */
      readonly grants?: readonly Grant[]
    }
  | { readonly verdict: 'gone'; readonly again: Again | null }
