/**
 * The alarm of a room. Several parts of the room share it. It outlives the object's memory, so a restart loses no
 * alarm.
 */
export class WakeUps {
  readonly #storage: DurableObjectStorage
  /** When the alarm will ring, as far as this object knows. */
  #setMs: number | null = null

  constructor(storage: DurableObjectStorage) {
    this.#storage = storage
  }

  /** Must be called when the alarm has rung. */
  rang(): void {
    this.#setMs = null
  }

  /** Sets the alarm for the earliest of these moments, unless it rings by then anyway. Null means no moment. */
  async at(moments: readonly (number | null)[], nowMs: number): Promise<void> {
    const due = moments.filter(moment => moment !== null)
    if (due.length === 0) return
    const atMs = Math.max(nowMs, Math.min(...due))
    if (this.#setMs !== null && this.#setMs <= atMs && this.#setMs >= nowMs) return
    this.#setMs = atMs
    await this.#storage.setAlarm(atMs)
  }
}
