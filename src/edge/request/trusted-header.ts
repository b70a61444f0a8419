/**
 * Watches whether the header that the operator trusts ever holds an address. With a misspelt name nothing fails: rules
 * by address match nobody, and limits by network do not apply. So it is logged once, and operators see it.
 */

/** A health check or two may come around the proxy; so many requests without an address do not. */
const REQUESTS_MIN = 20

export class TrustedHeader {
  readonly #name: string | null
  #requests = 0
  /** An address has come, or none is expected. Then nothing is looked at any more. */
  #isSettled: boolean

  constructor(name: string | null) {
    this.#name = name
    this.#isSettled = name === null
  }

  /** Takes note of one request of this isolate. */
  note(visit: { readonly address: string | null }): void {
    if (this.#isSettled) return
    this.#requests++
    this.#isSettled = visit.address !== null
    if (this.#requests === REQUESTS_MIN && !this.#isSettled) console.warn(this.problem)
  }

  /** What is wrong, in words for operators; null while nothing is known to be. */
  get problem(): string | null {
    if (this.#isSettled || this.#requests < REQUESTS_MIN) return null
    return (
      `TRUSTED_IP_HEADER is ${this.#name}, and none of ${this.#requests.toLocaleString('en')} requests has had an ` +
      'address in it. So rules by cidr match nobody, and limits by network do not apply. Have the proxy send it, or ' +
      'correct the name.'
    )
  }
}
