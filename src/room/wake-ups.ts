/** The alarm of a room, which several of its parts share. It outlives the object's memory, so a restart loses none. */
export class WakeUps {
  readonly #storage: DurableObjectStorage
  /** When the alarm rings, as far as this object has set it. */
  #setMs: number | null = null

  constructor(storage: DurableObjectStorage) {
    this.#storage = storage
  }

  /** Must be called when the alarm has rung. */
  rang(): void {
    this.#setMs = null
  }

  /** Sets the alarm for the first of these moments, unless it rings by then anyway. Null stands for no moment. */
  async at(moments: readonly (number | null)[], nowMs: number): Promise<void> {
    const due = moments.filter(moment => moment !== null)
    if (due.length === 0) return
    const atMs = Math.max(nowMs, Math.min(...due))
    if (this.#setMs !== null && this.#setMs <= atMs && this.#setMs >= nowMs) return
    this.#setMs = atMs
    await this.#storage.setAlarm(atMs)
  }
}
