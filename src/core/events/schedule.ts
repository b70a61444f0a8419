/** A scheduled event, in the form the room's decisions use. */

export interface ScheduledEvent {
  readonly name: string
  /** Newcomers wait for the start from this time on. Null if no visitor waits for it. */
  readonly prequeueMs: number | null
  readonly startMs: number
  readonly endMs: number
  /** True if the places of the visitors who wait for the start are drawn. */
  readonly shuffles: boolean
}
