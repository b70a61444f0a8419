/** The demo shop's threads (`tools/demo/threads.ts`) in virtual time. */
import { HEALTHY, type Slowdown, slowedDown } from '../demo/slowdown.ts'
import type { Random } from '../simulation/random.ts'

const WAIT_MAX_MS = 5_000
const QUEUE_SECONDS = 8
const JITTER = 0.2

interface Job {
  readonly cost: number
  readonly done: (isServed: boolean) => void
  isWaiting: boolean
}

export class VirtualShop {
  workDone = 0
  readonly #capacity: number
  readonly #count: number
  readonly #random: Random
  readonly #after: (ms: number, run: () => void) => void
  readonly #nowMs: () => number
  readonly #queue: Job[] = []
  #busy = 0
  #slowdown: Slowdown = HEALTHY

  constructor(capacity: number, random: Random, after: (ms: number, run: () => void) => void, nowMs: () => number) {
    this.#capacity = capacity
    this.#count = Math.max(1, Math.round(capacity / 10))
    this.#random = random
    this.#after = after
    this.#nowMs = nowMs
  }

  serve(cost: number, done: (isServed: boolean) => void): void {
    const job: Job = { cost, done, isWaiting: true }
    if (this.#busy < this.#count) this.#start(job)
    else if (this.#queue.length >= this.#capacity * QUEUE_SECONDS) this.#after(1, () => done(false))
    else {
      this.#queue.push(job)
      this.#after(WAIT_MAX_MS, () => {
        if (!job.isWaiting) return
        job.isWaiting = false
        this.#queue.splice(this.#queue.indexOf(job), 1)
        done(false)
      })
    }
  }

  #start(job: Job): void {
    job.isWaiting = false
    this.#busy++
    const plainMs = (job.cost * this.#count * 1_000) / this.#capacity
    const jitter = 1 - JITTER + 2 * JITTER * this.#random.next()
    this.#slowdown = slowedDown(this.#slowdown, this.#queue.length / this.#capacity, this.#nowMs())
    this.#after(plainMs * jitter * this.#slowdown.factor, () => {
      this.#busy--
      this.workDone += job.cost
      job.done(true)
      const next = this.#queue.shift()
      if (next) this.#start(next)
    })
  }
}
