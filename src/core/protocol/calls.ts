/** What each object can be asked. Edges and the admin API know objects only by these. */
import type { Decision } from '../health/decision-log.ts'
import type { Session } from '../session.ts'
import type {
  Claim,
  ClaimAnswer,
  DoorReply,
  DoorReport,
  EdgeReply,
  EdgeReport,
  PlaceLeft,
  Touch,
  TouchAnswer,
} from './messages.ts'

/** Begins the message of an object whose code must not work on its database. Readiness reports what follows it. */
export const STORAGE_REFUSED = 'storage refused'

export interface DoorCalls<Settings> {
  sync(report: EdgeReport): Promise<EdgeReply<Settings>>
  claim(claim: Claim): Promise<ClaimAnswer>
  /** Answers in the order asked. */
  touch(touches: readonly Touch[]): Promise<readonly TouchAnswer[]>
  /** Ends a session early, or with `place` also a place that was not claimed yet; false when there was neither. */
  end(sid: string, how: 'left' | 'revoked', place?: PlaceLeft): Promise<boolean>
  /** Keeps a live session for at least this much longer; false when there was none. */
  extend(sid: string, byMs: number): Promise<boolean>
  session(sid: string): Promise<Session | null>
  /** A hint to sync now. */
  poke(): Promise<void>
}

/** A change of settings: applied, without effect, refused because somebody was faster, or refused with reasons. */
export type ChangeOutcome =
  | { readonly kind: 'changed'; readonly version: string }
  | { readonly kind: 'unchanged'; readonly version: string }
  | { readonly kind: 'outdated'; readonly version: string }
  | { readonly kind: 'invalid'; readonly problems: readonly { readonly path: string; readonly message: string }[] }

/** A draw as everybody may see it. */
export interface PublicDraw {
  readonly event: string
  /** SHA-256 of the seed, published before the start. */
  readonly commitment: string
  /** Null until the start is ten seconds ago. */
  readonly seed: string | null
  readonly startMs: number
  /** Drawn places lie from here to the start; null until they are drawn. */
  readonly fromKey: number | null
  /** Called off: the event was deleted, suspended or does not shuffle any more. */
  readonly calledOff: boolean
  readonly entries: number
}

/**
 * What became of requests under one policy, since the room began. `near` counts leases that were lent with at least 80 % of the burst in
 * use; `fallback` requests that an isolate decided by itself, because a door did not answer.
 */
export interface LimitFigures {
  readonly allowed: number
  readonly limited: number
  readonly shadow: number
  readonly near: number
  readonly fallback: number
}

/** Live figures of a room, for operators. */
export interface RoomFigures {
  readonly active: number
  readonly permitsOut: number
  readonly permitsBanked: number
  /** What is left of the budget, permits out included; null without one. */
  readonly remaining: number | null
  readonly waiting: number
  /** Visitors who wait for a draw; they are counted as waiting once they have a place. */
  readonly entries: number
  readonly standing: number
  /** By policy. */
  readonly limits: Readonly<Record<string, LimitFigures>>
  /** Since the room began. */
  readonly totals: Readonly<Record<string, number>>
  readonly admittedLastMinute: number
  readonly effectiveRatePerMinute: number
  /** Places in force: those of an event while it is on. */
  readonly totalActiveUsers: number
  readonly burst: number
  readonly open: boolean
  readonly held: boolean
  readonly showRate: number
  readonly health: HealthFigures
  /** The main lane and those beside it; empty in a room without lanes. `admitted` is since the room began. */
  readonly lanes: readonly {
    readonly name: string
    readonly share: number
    readonly waiting: number
    readonly standing: number
    readonly admitted: number
  }[]
  readonly doors: readonly {
    readonly name: string
    readonly active: number
    readonly permitsOut: number
    readonly standing: number
    readonly admitted: number
    readonly heardMsAgo: number
  }[]
}

/** The health of one upstream, `origin` for what none names. Null where nothing was heard. */
export interface UpstreamFigures {
  readonly name: string
  readonly critical: boolean
  /** As it is in force. */
  readonly breaker: 'closed' | 'open' | 'half-open'
  /** After an outage of a named upstream, the share of sessions whose requests go there again; null when all do, or as the breaker says. */
  readonly back: number | null
  readonly pinned: boolean
  readonly sinceMs: number | null
  readonly untilMs: number | null
  /** Of the last minute. */
  readonly samples: number
  readonly p50Ms: number | null
  /** Answers that take longer than four times the target are counted when that has passed. */
  readonly p95Ms: number | null
  readonly apdex: number | null
  readonly failures: number | null
}

export interface HealthFigures {
  readonly mode: 'enforce' | 'shadow' | 'off'
  readonly reason: 'outage' | 'slow' | null
  /** Sessions that the origin bears as far as is known; null while the operator's total stands. */
  readonly ceiling: number | null
  /** The share of those inside whose requests go to the origin. */
  readonly inside: number
  /** What is in force now. */
  readonly ratePerMinute: number
  readonly totalActiveUsers: number
  readonly pins: readonly string[]
  readonly upstreams: readonly UpstreamFigures[]
}

export interface HealthMinute {
  readonly atMs: number
  readonly upstreams: Readonly<
    Record<string, Pick<UpstreamFigures, 'samples' | 'p50Ms' | 'p95Ms' | 'apdex' | 'failures'>>
  >
}

export interface HealthReport {
  readonly health: HealthFigures
  /** Newest first. */
  readonly decisions: readonly Decision[]
  /** Oldest first. */
  readonly history: readonly HealthMinute[]
}

export interface RoomDescription<Settings> {
  readonly version: string
  readonly settings: Settings
  /** The settings as deployed. */
  readonly file: Settings
  /** Names of the settings that live changes have set. */
  readonly overridden: readonly string[]
  /** Of every draw of an event, the latest of each name. */
  readonly draws: readonly PublicDraw[]
  readonly figures: RoomFigures
  /** The room's clock. */
  readonly nowMs: number
}

/** A live change: settings to set, or settings to take back to the deployed file. */
export type ChangeRequest = { readonly set: unknown } | { readonly reset: readonly string[] | 'all' }

export interface Change {
  readonly version: string
  readonly atMs: number
  readonly actor: string
  /** Settings that got another value, or the names of those taken back to the file. */
  readonly request: ChangeRequest
}

export interface RoomCalls<Settings> {
  /** Null for a report older than one that was applied. */
  sync(report: DoorReport): Promise<DoorReply<Settings> | null>
  describe(): Promise<RoomDescription<Settings>>
  /** Changes the room only if it has one of these versions; `null` changes whatever is there. */
  change(request: ChangeRequest, ifVersions: readonly string[] | null, actor: string): Promise<ChangeOutcome>
  changes(): Promise<readonly Change[]>
  /** How the origin does, what was decided because of it, and the last minutes. */
  health(minutes: number): Promise<HealthReport>
  /** Of every event that draws, the latest draw. */
  draws(): Promise<readonly PublicDraw[]>
}
