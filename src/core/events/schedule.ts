/** A scheduled event, as the settings describe it. */

/** An event as it was scheduled. */
export interface ScheduledEvent {
  readonly name: string
  /** Newcomers wait from then on; null where nobody waits for the start. */
  readonly prequeueMs: number | null
  readonly startMs: number
  readonly endMs: number
  /** Those who wait for the start are drawn. */
  readonly shuffles: boolean
}
