/** The run's time, and sleeps that all end when the run does. */
export class RunClock {
  readonly #startMs = performance.now()
  readonly #sleeping = new Map<NodeJS.Timeout, () => void>()
  #isOver = false

  /** Whoever sleeps or asks must look at this afterwards, and go home. */
  get isOver(): boolean {
    return this.#isOver
  }

  nowMs(): number {
    return performance.now() - this.#startMs
  }

  /** A `performance.now()` on this clock. */
  at(performanceMs: number): number {
    return performanceMs - this.#startMs
  }

  sleep(ms: number): Promise<void> {
    if (this.#isOver) return Promise.resolve()
    return new Promise(resolve => {
      const timer = setTimeout(() => {
        this.#sleeping.delete(timer)
        resolve()
      }, ms)
      this.#sleeping.set(timer, resolve)
    })
  }

  end(): void {
    this.#isOver = true
    for (const [timer, wake] of this.#sleeping) {
      clearTimeout(timer)
      wake()
    }
    this.#sleeping.clear()
  }
}
