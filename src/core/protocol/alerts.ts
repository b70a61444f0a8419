/** The alerts of a room as operators see them, and the calls about them. */
import type { AlertRule } from '../alerts/rules.ts'

interface AlertState extends AlertRule {
  /** When the present episode began; null while the alert is quiet. */
  readonly firedAtMs: number | null
  readonly lastFiredAtMs: number | null
  /** When the last episode ended. Null before that. */
  readonly resolvedAtMs: number | null
  /** Since when the condition has been present without an alert, or absent during one. Otherwise null. */
  readonly changingSinceMs: number | null
}

/** One notice on its way to one receiver. */
export interface Delivery {
  readonly id: string
  readonly receiver: string
  readonly text: string
  readonly createdAtMs: number
  readonly attempts: number
  readonly state: 'waiting' | 'delivered' | 'given-up'
  /** The HTTP status of the last answer, or why there was no answer. Null before the first attempt. */
  readonly outcome: string | null
  readonly nextAttemptMs: number | null
}

export interface AlertReport {
  readonly rules: readonly AlertState[]
  /** An address may be a secret. So only the name, the format and the host of a receiver are listed. */
  readonly receivers: readonly { readonly name: string; readonly format: string; readonly host: string }[]
  /** Newest first. */
  readonly deliveries: readonly Delivery[]
}

export interface AlertCalls {
  alertReport(): Promise<AlertReport>
  /** Sends a notice to a receiver as a test. Returns false when there is no such receiver. */
  testAlert(receiver: string): Promise<boolean>
}
