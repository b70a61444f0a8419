/**
 * The messages between the tiers. Counters are totals, never differences, so a repeated or late message changes
 * nothing.
 *
 * Reports flow up, leases flow down. Edge and door both `sync` with the tier above. A door answers `claim` and `renew`.
 */

import type { EventsSnapshot } from '../events/events.ts'
import type { HealthSnapshot } from '../health/effect.ts'
import type { Batches } from '../line/batches.ts'
import type { LaneSnapshot } from '../line/line.ts'
import type { Slowed } from '../line/slowdown.ts'
import type { Again } from '../session.ts'
import type { TallyReport } from '../tally.ts'

/** The doors of a region to which newcomers go: the ones numbered `from` to `count - 1`. */
export interface DoorSpread {
  readonly count: number
  readonly from: number
}

/** The state of the room that a tier needs to decide about a visitor who is not inside. */
export interface Snapshot {
  /** The room's clock when the snapshot was made. */
  readonly asOfMs: number
  readonly generation: number
  /** No visitor waits and permits remain, so newcomers claim without a line. */
  readonly open: boolean
  /** No permits are granted: queue_all, a rate of 0, or a spent budget. */
  readonly held: boolean
  /** Since when the line is held; absent while it is not. */
  readonly heldSinceMs?: number
  /** The budget of `remaining` is spent. */
  readonly soldOut?: boolean
  /** As many sessions are live as the room allows. */
  readonly full: boolean
  /** The most admissions per second that the room would grant. */
  readonly ratePerSecond: number
  /** Why waits may have grown lately; null or absent if nothing happened. */
  readonly slowed?: Slowed | null
  /** The changes that health made; absent while everything is as the operator set it. */
  readonly health?: HealthSnapshot
  /** Absent in a room with one door. */
  readonly doors?: DoorSpread
  /** The share of sessions that vote on the origin's health; absent while all do. */
  readonly voterShare?: number
  /** How newcomers are drawn; null or absent where places are given by arrival. */
  readonly batches?: Batches | null
  /** The room has all counts up to this key. Absent if the room's version does not know batches. */
  readonly settledKey?: number
  /** Places that went to another browser lately, by their short names: how often each did. Absent if there are none. */
  readonly transferred?: Readonly<Record<string, number>>
  /** Null or absent if no event is scheduled. */
  readonly events?: EventsSnapshot | null
  readonly lanes: Readonly<Record<string, LaneSnapshot>>
}

/** One door's demand for permits in one lane. */
export interface Demand {
  readonly lane: string
  /**
   * Called visitors refused within the last poll interval, and visitors whose claims wait for the answer to this
   * report.
   */
  readonly ready: number
  readonly oldestKey: number
  /** Claims per second lately. */
  readonly perSecond: number
}

/** Edge to door. `isolate` is a random id. An isolate that was silent starts a new one. */
export interface EdgeReport extends TallyReport {
  readonly isolate: string
  /**
   * The version of the edge's settings. Versions carry a change of the operator to every edge:
   *
   * 1. `Room.change` puts it in force, moves the room's version, and nudges every door.
   * 2. A door's next report has an older version, so the room's reply contains the settings (`DoorReply.settings`).
   * 3. The door puts them in force, and has the room's version from then on.
   * 4. An edge's next report has an older version, so the door's reply contains the settings (`EdgeReply.settings`).
   * 5. The edge puts them in force (`applyEdgeReply`).
   *
   * The five steps take at most `IN_FORCE_WITHIN_MS` (I10).
   */
  readonly version: string
}

export interface EdgeReply<Settings> {
  readonly seq: number
  readonly snapshot: Snapshot
  readonly version: string
  /** Present if the edge's version is another one. */
  readonly settings?: Settings
  /** How long the door has failed to reach the room; 0 when all is well. */
  readonly silentMs: number
}

/** Door to room. `spent` and `returned` are totals of the epoch. */
export interface DoorReport extends TallyReport {
  readonly door: string
  readonly epoch: number
  readonly spent: number
  readonly returned: number
  /** Sessions that are live now, and count against `total_active_users`. */
  readonly live: number
  /**
   * The permits that were spent or returned in this epoch, in total, for each lane except the main one. Absent if there
   * were none.
   */
  readonly gone?: Readonly<Record<string, number>>
  /**
   * True if the room is open as far as the door knows. Then refused newcomers count as ready, otherwise refused called
   * visitors.
   */
  readonly open: boolean
  readonly demand: readonly Demand[]
  /** Calls and syncs of edges lately; absent if the door has not measured them. */
  readonly callsPerSecond?: number
  readonly version: string
}

export interface DoorReply<Settings> {
  readonly epoch: number
  readonly seq: number
  /** Permits granted in this epoch, in total. */
  readonly granted: number
  /** The part of these permits for each lane except the main one; absent if there is none. */
  readonly lanes?: Readonly<Record<string, number>>
  readonly snapshot: Snapshot
  readonly version: string
  readonly settings?: Settings
}

/** Edge to door: exchange a place for a session. */
export interface Claim {
  readonly sid: string
  readonly key: number
  readonly lane: string
  readonly generation: number
  /** True if a refused visitor leaves at once, because the room keeps no line for newcomers. */
  readonly leaves?: boolean
  /**
   * When the place was taken, for a sid from an invitation. A session of this sid that had ended by then does not block
   * the claim.
   */
  readonly takenMs?: number
  /** How often the place went to another browser, absent if never. A door refuses a lower number than its own. */
  readonly transfers?: number
  /** The cost of the request that comes with the claim. It is charged only if the visitor is admitted. */
  readonly tokenRequests?: readonly TokenRequest[]
}

/** A place in line, as its ticket describes it: what the door needs when the place is given up. */
export type PlaceLeft = Pick<Claim, 'key' | 'lane' | 'takenMs' | 'transfers'>

export type ClaimAnswer =
  | {
      readonly verdict: 'admitted'
      readonly issuedMs: number
      readonly expiresMs: number
      /** The session's sid, if it differs from the claim's: a later session of the same invitation. */
      readonly sid?: string
      /**
       * The session existed before this claim. The request that came with it counts like any other, and was not
       * charged.
       */
      readonly known?: true
      /** The answers to the claim's `tokenRequests`, in the same order. */
      readonly grants?: readonly TokenGrant[]
    }
  | { readonly verdict: 'none'; readonly retryAfterMs: number }
  /**
   * This sid had its session. `again` is the place that it may take instead, if the session ended only a moment ago.
   * `transferred` means that the place is in another browser now.
   */
  | { readonly verdict: 'ended'; readonly again: Again | null; readonly transferred?: true }

/**
 * An isolate's report on its token lease for one bucket, and its request for more. The report is idempotent: each
 * (lease, nth) is granted at most once.
 */
export interface TokenRequest {
  /** Names one isolate's lease of one bucket. The isolate chooses it, and never uses it for another bucket. */
  readonly lease: string
  /** The number of this request within its lease, rising. */
  readonly nth: number
  readonly policy: string
  /** The policy's name, or the name and a path. */
  readonly bucket: string
  /** The tokens of the lease that were used, in total. */
  readonly used: number
  /** How long ago a token was last used, by the isolate's clock. Absent if it was just now. */
  readonly usedAgoMs?: number
  /** Tokens that the lease keeps. The rest of what was lent is given back. */
  readonly has: number
  /** Tokens that requests wait for now. */
  readonly want: number
  /** The number of tokens for one request. A smaller grant is of no use. */
  readonly least: number
  /** Tokens for future requests. */
  readonly spare: number
  /** Tokens that were used without a loan. They are charged whatever the debt is. */
  readonly owed?: number
}

export interface TokenGrant {
  readonly tokens: number
  /** Tokens that could still be lent. */
  readonly remaining: number
  /**
   * 0 if all wanted tokens are granted. Otherwise the time until one request can be granted, if no other report comes
   * before.
   */
  readonly retryAfterMs: number
}

/** Edge to door, several at a time: renews an admitted session. */
export interface Renewal {
  readonly sid: string
  /** The session must last at least this much longer, because the request is on a protected path. 0 on other paths. */
  readonly protectMs: number
  readonly tokenRequests?: readonly TokenRequest[]
  /** True if this only reports used tokens. There is no request behind it, so no session is renewed. */
  readonly isReportOnly?: boolean
}

export type RenewalAnswer =
  | {
      readonly verdict: 'live'
      readonly expiresMs: number
      readonly leaseMs: number
      /** In the order of `tokenRequests`; absent if there were none. */
      readonly grants?: readonly TokenGrant[]
    }
  | {
      readonly verdict: 'ended'
      readonly again: Again | null
      /** The session ended because its visitor sent no request for as long as a session lasts. */
      readonly byInactivity?: true
    }
