/** A clock that begins with the run. All of its sleeps end when the run ends. */
export class RunClock {
  readonly #startMs = performance.now()
  readonly #sleeping = new Map<NodeJS.Timeout, () => void>()
  #isOver = false

  /** A visitor must check this after each sleep and each request, and then stop. */
  get isOver(): boolean {
    return this.#isOver
  }

  nowMs(): number {
    return performance.now() - this.#startMs
  }

  /** Converts a `performance.now()` to this clock. */
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
