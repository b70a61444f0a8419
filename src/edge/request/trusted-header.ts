/**
 * Checks whether the header that the operator trusts ever contains an address. With a misspelt name nothing fails
 * visibly: rules by address match no visitor, and limits by network do not apply. So the problem is logged once for the
 * operator.
 */
import { log } from '../../runtime/log.ts'

/** A health check or two may not pass through the proxy. But 20 requests without an address are a problem. */
const REQUESTS_MIN = 20

export class TrustedHeader {
  readonly #name: string | null
  #requests = 0
  /** True if an address has come, or none is expected. No further request is checked. */
  #isSettled: boolean

  constructor(name: string | null) {
    this.#name = name
    this.#isSettled = name === null
  }

  /** Checks one request of this isolate. */
  note(visit: { readonly address: string | null }): void {
    if (this.#isSettled) return
    this.#requests++
    this.#isSettled = visit.address !== null
    if (this.#requests === REQUESTS_MIN && !this.#isSettled) log('no-visitor-address', { detail: this.problem ?? '' })
  }

  /** Returns the problem as a sentence for operators. Returns null while no problem is known. */
  get problem(): string | null {
    if (this.#isSettled || this.#requests < REQUESTS_MIN) return null
    return (
      `TRUSTED_IP_HEADER is ${this.#name}, and none of ${this.#requests.toLocaleString('en')} requests has had an ` +
      'address in it. So rules by cidr match no visitor, and limits by network do not apply. ' +
      'Have the proxy send it, or correct the name.'
    )
  }
}
