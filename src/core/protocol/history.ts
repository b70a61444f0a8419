/** A room's past, as operators read it, and the live changes in it. */
import type { Decision } from '../health/decision-log.ts'
import type { HistoryStep } from '../history/history.ts'

/** A live change: settings to set, or settings to reset to the deployed file. */
export type ChangeRequest = { readonly set: unknown } | { readonly reset: readonly string[] | 'all' }

/** Which part of a room's history is asked for. `stepMs` is a whole number of minutes. */
export interface HistoryQuery {
  readonly fromMs: number
  readonly toMs: number
  readonly stepMs: number
}

/** An event of one moment: a live change, a decision of health, or the turn of an event. */
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
