/** Of everybody who has come in: when, for how long, and until when the session lasts. */
export class Stays {
  /** When each was admitted by a door that got an answer through, 0 before. */
  readonly admittedMs: Float64Array
  /** Of each visitor, side by side: when it leaves, and when its session ends as far as it knows. */
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
