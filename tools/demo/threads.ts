/** The shop's capacity: a bounded pool of threads behind a bounded queue. It thrashes when it is overloaded. */
import { HEALTHY, type Slowdown, slowedDown } from './slowdown.ts'

/** `timed-out`: the request waited too long for a thread. `refused`: the queue was full. */
export type Outcome = 'served' | 'timed-out' | 'refused'

interface Job {
  readonly cost: number
  readonly done: (outcome: Outcome) => void
  timer: NodeJS.Timeout | null
}

/** A request waits at most this long for a thread. After this time its visitor has given up. */
const WAIT_MAX_MS = 5_000
/** The queue holds this many seconds of work at full capacity. More requests would only time out. */
const QUEUE_SECONDS = 8
const JITTER = 0.2
/** Connections for each page a second of capacity. */
const CONNECTIONS = 0.6

export class Threads {
  /** Share of the capacity that is left, up to 1. */
  capacityShare = 1
  readonly #capacity: number
  readonly #count: number
  /** A request holds a connection while it is worked on, and while it waits for a provider's answer. */
  readonly #connections: number
  #held = 0
  readonly #queue: Job[] = []
  #busy = 0
  #slowdown: Slowdown = HEALTHY

  /** `capacity`: pages a second at a cost of 1. Each thread takes about 100 ms for a page. */
  constructor(capacity: number) {
    this.#capacity = capacity
    this.#count = Math.max(1, Math.round(capacity / 10))
    this.#connections = Math.max(2 * this.#count, Math.round(capacity * CONNECTIONS))
  }

  get busy(): number {
    return this.#busy
  }

  get queued(): number {
    return this.#queue.length
  }

  slowdownAt(nowMs: number): number {
    return this.#strain(nowMs).factor
  }

  /** Resolves when a thread has done the work, or when none will. `cost` is in pages. */
  serve(cost: number): Promise<Outcome> {
    return new Promise(done => {
      const job: Job = { cost, done, timer: null }
      if (this.#isFree) this.#start(job)
      else if (this.#queue.length >= this.#capacity * QUEUE_SECONDS) done('refused')
      else this.#enqueue(job)
    })
  }

  /** Holds a connection without working. Meanwhile it is not available to other requests. */
  async hold(ms: number): Promise<void> {
    this.#held++
    await new Promise(resolve => setTimeout(resolve, ms).unref())
    this.#held--
    this.#next()
  }

  /** Drops all jobs in the queue. Work under way ends by itself. */
  stop(): void {
    for (const job of this.#queue.splice(0)) this.#drop(job)
  }

  #enqueue(job: Job): void {
    job.timer = setTimeout(() => {
      this.#queue.splice(this.#queue.indexOf(job), 1)
      this.#drop(job)
    }, WAIT_MAX_MS)
    this.#queue.push(job)
  }

  #drop(job: Job): void {
    if (job.timer) clearTimeout(job.timer)
    job.done('timed-out')
  }

  #start(job: Job): void {
    if (job.timer) clearTimeout(job.timer)
    this.#busy++
    const plainMs = (job.cost * this.#count * 1_000) / this.#capacity
    const jitter = 1 - JITTER + 2 * JITTER * Math.random()
    setTimeout(
      () => {
        this.#busy--
        job.done('served')
        this.#next()
      },
      (plainMs * jitter * this.#strain(performance.now()).factor) / this.capacityShare,
    )
  }

  get #isFree(): boolean {
    return this.#busy < this.#count && this.#busy + this.#held < this.#connections
  }

  #next(): void {
    const next = this.#isFree ? this.#queue.shift() : undefined
    if (next) this.#start(next)
  }

  #strain(nowMs: number): Slowdown {
    this.#slowdown = slowedDown(this.#slowdown, this.#queue.length / this.#capacity, nowMs)
    return this.#slowdown
  }
}
