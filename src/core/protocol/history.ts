/** A room's past, as operators read it, and the live changes in it. */
import type { Decision } from '../history/decisions.ts'
import type { HistoryStep } from '../history/history.ts'
import type { SpanFigures } from '../history/report.ts'
import type { AuditAction } from './audit.ts'

/** A live change: settings to set, or settings to reset to the deployed file. */
export type ChangeRequest = { readonly set: unknown } | { readonly reset: readonly string[] | 'all' }

/** The requested part of a room's history. `stepMs` is a whole number of minutes. */
export interface HistoryQuery {
  readonly fromMs: number
  readonly toMs: number
  readonly stepMs: number
}

/** Something that happened at one moment: a live change, a decision of health, or the beginning or end of an event. */
export type HistoryMarker = { readonly atMs: number } & (
  | { readonly kind: 'change'; readonly actor: string; readonly request: ChangeRequest }
  | ({ readonly kind: 'decision' } & Pick<Decision, 'upstream' | 'did' | 'enforced'>)
  | { readonly kind: 'event'; readonly turn: 'prequeue-begun' | 'event-begun' | 'event-ended'; readonly name: string }
)

export interface HistoryReport {
  /** Oldest first. Steps in which the room slept are left out. */
  readonly steps: readonly HistoryStep[]
  /** Oldest first. */
  readonly markers: readonly HistoryMarker[]
}

/** One deed of an operator, in few words. */
export interface ReportedDeed {
  readonly atMs: number
  readonly actor: string
  readonly action: AuditAction
  readonly subject: string | null
  /** The settings that the deed changed. The values before and after are texts of at most 120 characters. */
  readonly changed: readonly { readonly setting: string; readonly before: string; readonly after: string }[]
}

/** The report of an event, or of a requested stretch of time. */
export interface RoomReport {
  /** The name of an event's report. Null for a report that is not kept. */
  readonly id: string | null
  readonly event: string | null
  readonly room: string
  readonly fromMs: number
  /** The start of the event, after its prequeue. Null if the report is not about an event. */
  readonly startMs: number | null
  readonly toMs: number
  readonly madeAtMs: number
  readonly figures: SpanFigures
  /** Decisions of health, oldest first. */
  readonly decisions: readonly Extract<HistoryMarker, { kind: 'decision' }>[]
  /** Oldest first; the newest hundred of the time. */
  readonly deeds: readonly ReportedDeed[]
}

/** A report in a list. */
export type ReportListed = Pick<RoomReport, 'event' | 'fromMs' | 'toMs' | 'madeAtMs'> & {
  readonly id: string
  readonly admitted: number
}

export interface ReportCalls {
  /** Returns the reports that are kept, newest first. */
  reports(): Promise<readonly ReportListed[]>
  /** Returns a kept report, or null if there is none. Or makes a report of a stretch of time. */
  report(
    asked: { readonly id: string } | { readonly fromMs: number; readonly toMs: number },
  ): Promise<RoomReport | null>
}
