/** The stay of each admitted visitor: its start, how long it is, and the end of the session. */
export class Stays {
  /** When the door's answer admitted each visitor; 0 before. */
  readonly admittedMs: Float64Array
  /** Two numbers for each visitor: when it leaves, and when its session ends, as far as it has been informed. */
  readonly #ends: Float64Array

  constructor(visitors: number) {
    this.admittedMs = new Float64Array(visitors)
    this.#ends = new Float64Array(2 * visitors)
  }

  begin(visitor: number, leavesMs: number, expiresMs: number, nowMs: number): void {
    this.admittedMs[visitor] = nowMs
    this.leave(visitor, leavesMs)
    this.renew(visitor, expiresMs)
  }

  leavesMs(visitor: number): number {
    return this.#ends[2 * visitor] as number
  }

  leave(visitor: number, atMs: number): void {
    this.#ends[2 * visitor] = atMs
  }

  expiresMs(visitor: number): number {
    return this.#ends[2 * visitor + 1] as number
  }

  renew(visitor: number, expiresMs: number): void {
    this.#ends[2 * visitor + 1] = expiresMs
  }
}
