/** The calls that each object answers. Edges and the admin API use objects only through these. */
import type { Advice } from '../history/advice.ts'
import type { Forecast } from '../history/forecast.ts'
import type { AdmissionLimits } from '../permits/bank.ts'
import type { Session } from '../session.ts'
import type { AlertCalls } from './alerts.ts'
import type { AuditCalls, Proof } from './audit.ts'
import type { HealthFigures, HealthReport } from './health.ts'
import type { ChangeRequest, HistoryQuery, HistoryReport, ReportCalls } from './history.ts'
import type {
  Claim,
  ClaimAnswer,
  DoorReply,
  DoorReport,
  EdgeReply,
  EdgeReport,
  PlaceLeft,
  Renewal,
  RenewalAnswer,
} from './messages.ts'
import type { OperatorCalls, SocketCalls } from './operators.ts'
import type { OfferAnswer, TakeAnswer, TransferOffer, TransferTake } from './transfers.ts'

export type { Forecast } from '../history/forecast.ts'
export type {
  ChangeRequest,
  HistoryMarker,
  HistoryQuery,
  HistoryReport,
  ReportedDeed,
  ReportListed,
  RoomReport,
} from './history.ts'

/**
 * An error message begins with this text if the code of an object must not work on its database. Readiness reports the
 * rest of the message.
 */
export const STORAGE_REFUSED = 'storage refused'

export interface DoorCalls<Settings> {
  sync(report: EdgeReport): Promise<EdgeReply<Settings>>
  claim(claim: Claim): Promise<ClaimAnswer>
  /** Returns the answers in the order of the renewals. */
  renew(renewals: readonly Renewal[]): Promise<readonly RenewalAnswer[]>
  /**
   * Ends a session early, or with `place` also a place that was not claimed yet. Returns false if there was neither.
   */
  end(sid: string, how: 'left' | 'revoked', place?: PlaceLeft): Promise<boolean>
  /** Keeps a live session for at least `byMs` more. Returns false if there was none. */
  extend(sid: string, byMs: number): Promise<boolean>
  session(sid: string): Promise<Session | null>
  /** Keeps a code for a place that goes to another browser. A new code replaces the last one of its place. */
  offerTransfer(offer: TransferOffer): Promise<OfferAnswer>
  /** Gives the place of a code to the first browser that asks. */
  takeTransfer(take: TransferTake): Promise<TakeAnswer>
  /** A hint to sync now. */
  nudge(): Promise<void>
}

/**
 * The outcome of a change of settings: applied, without effect, refused because of another change in between, or
 * refused with the problems.
 */
export type ChangeOutcome =
  | { readonly kind: 'changed'; readonly version: string }
  | { readonly kind: 'unchanged'; readonly version: string }
  | { readonly kind: 'outdated'; readonly version: string }
  | { readonly kind: 'invalid'; readonly problems: readonly { readonly path: string; readonly message: string }[] }

/** A draw as the public may see it. */
export interface PublicDraw {
  readonly event: string
  /** SHA-256 of the seed, published before the start. */
  readonly commitment: string
  /** Null until 10 s after the start. */
  readonly seed: string | null
  readonly startMs: number
  /** Drawn places lie between this key and the start; null until they are drawn. */
  readonly fromKey: number | null
  /** True if the draw was called off, because the event was deleted or suspended, or no longer shuffles. */
  readonly calledOff: boolean
  readonly entries: number
}

/**
 * The outcome of requests under one policy, since the room began. `near` counts leases that were lent with at least 80
 * % of the burst in use. `fallback` counts requests that an isolate decided alone, because a door did not answer.
 */
export interface LimitStats {
  readonly allowed: number
  readonly limited: number
  readonly shadow: number
  readonly near: number
  readonly fallback: number
}

/** Live stats of a room, for operators. The admin API calls them `figures`. */
export interface RoomStats {
  readonly active: number
  readonly permitsOut: number
  readonly permitsBanked: number
  /** The admissions left in the budget, outstanding permits included; null without a budget. */
  readonly remaining: number | null
  readonly waiting: number
  /** Visitors who wait for a draw. They count as waiting once they have a place. */
  readonly entries: number
  readonly standing: number
  /** The stats of each policy, by its name. */
  readonly limits: Readonly<Record<string, LimitStats>>
  /** Decisions of the gate since the room began, by `<kind>/<why>`. Requests of live sessions are not counted. */
  readonly verdicts: Readonly<Record<string, number>>
  /** Answers that are not the origin's, since the room began, by `<state>/<why>`. */
  readonly answers: Readonly<Record<string, number>>
  /** Counts since the room began. */
  readonly totals: Readonly<Record<string, number>>
  readonly admittedLastMinute: number
  /** Newcomers of the last minute: visitors in line who came back once, and newcomers who were let in at once. */
  readonly cameLastMinute: number
  readonly effectiveRatePerMinute: number
  /** The places in force: during an event, those of the event. */
  readonly totalActiveUsers: number
  readonly burst: number
  readonly open: boolean
  readonly held: boolean
  /** Since when the room is open, is held, or has a line. */
  readonly sinceMs: number | null
  /**
   * The wait that a newcomer is shown, 0 in an open room. Null while the line stands still, or if the wait is not
   * known.
   */
  readonly waitMs: number | null
  /** A quarter of all newcomers wait less than `low`, and a quarter wait more than `high`. */
  readonly waitRangeMs: { readonly low: number; readonly high: number } | null
  /** How the line goes on under the limits in force. */
  readonly forecast: Forecast
  /** The most urgent first. */
  readonly advice: readonly Advice[]
  readonly showRate: number
  readonly health: HealthFigures
  /** The main lane and the lanes beside it; empty in a room without lanes. `admitted` counts since the room began. */
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
    readonly callsPerSecond: number
    readonly heardMsAgo: number
  }[]
}

export interface RoomDescription<Settings> {
  readonly version: string
  readonly settings: Settings
  /** The settings as deployed. */
  readonly file: Settings
  /** Names of the settings that live changes have set. */
  readonly overridden: readonly string[]
  /** The draws of events: only the latest draw of each event. */
  readonly draws: readonly PublicDraw[]
  readonly figures: RoomStats
  /** The room's clock. */
  readonly nowMs: number
}

export interface Change {
  readonly version: string
  readonly atMs: number
  readonly actor: string
  /** The settings that were set, or the names of those that were reset to the file. */
  readonly request: ChangeRequest
}

export interface RoomCalls<Settings> extends AuditCalls, AlertCalls, ReportCalls, OperatorCalls, SocketCalls {
  /** Returns the reply, or null if the report is older than one that was applied. */
  sync(report: DoorReport): Promise<DoorReply<Settings> | null>
  describe(): Promise<RoomDescription<Settings>>
  /** Changes the room only if it has one of these versions. `null` means any version. */
  change(
    request: ChangeRequest,
    ifVersions: readonly string[] | null,
    actor: string,
    proof?: Proof,
  ): Promise<ChangeOutcome>
  changes(): Promise<readonly Change[]>
  /** Returns the origin's health, the decisions that it caused, and the last minutes. */
  health(minutes: number): Promise<HealthReport>
  /** Returns the room's past, step by step, and what happened in that time. */
  history(query: HistoryQuery): Promise<HistoryReport>
  /** Predicts how the line goes on under other limits. A limit that is left out stays as it is. */
  forecast(limits: Partial<AdmissionLimits>): Promise<Forecast>
  /** Forgets how many sessions the origin can bear, for an operator who knows better. */
  liftCeiling(): Promise<void>
  /** Returns the latest draw of every event that draws. */
  draws(): Promise<readonly PublicDraw[]>
}
