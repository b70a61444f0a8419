/**
 * The tokens that were made in the dashboard, as an isolate knows them. However many requests come, the object that
 * stores these tokens is asked only now and then. Tokens in secrets do not need it at all, so operators who have one
 * can always log in.
 */
import type { MadeToken } from '../../core/protocol/operators.ts'
import { seldom } from '../../runtime/log.ts'
import { within } from '../../runtime/within.ts'
import { type Env, OPERATORS, operatorsStub } from '../../settings/env.ts'

/** A list is used for at most this long. So a revoked token is refused everywhere within this time. */
const REVOKED_WITHIN_MS = 5_000
/** A token that is not in the list may be new. Then the object is asked again, but at most this often. */
const ASKED_EVERY_MS = 1_000
/** While the object does not answer, the last list is used for up to this long. */
const KEPT_MS = 60_000
const ANSWERED_WITHIN_MS = 1_000
/** An isolate reports the use of a token at most this often. */
const USE_REPORTED_EVERY_MS = 60_000

interface Known {
  readonly tokens: readonly MadeToken[]
  readonly atMs: number
}

export type Lookup = MadeToken | 'unknown' | 'silent'

export class Registry {
  #known: Known | null = null
  #asking: Promise<void> | null = null
  #askedAtMs = Number.NEGATIVE_INFINITY
  readonly #reported = new Map<string, number>()

  /**
   * Returns the valid token with this hash. A revoked token counts as unknown. `silent` means that the list could not
   * be read.
   */
  async find(env: Env, sha256: string, nowMs: number): Promise<Lookup> {
    if (!this.#isFresh(nowMs)) await this.#ask(env, nowMs)
    const found = this.#search(sha256, nowMs)
    if (typeof found === 'object' || (this.#known !== null && nowMs - this.#known.atMs < ASKED_EVERY_MS)) return found
    await this.#ask(env, nowMs)
    return this.#search(sha256, nowMs)
  }

  /** Reports that a token is in use, unless that was reported a moment ago. Never throws. */
  async noteUse(env: Env, { id }: MadeToken, nowMs: number): Promise<void> {
    if (nowMs - (this.#reported.get(id) ?? Number.NEGATIVE_INFINITY) < USE_REPORTED_EVERY_MS) return
    this.#reported.set(id, nowMs)
    await operatorsStub(env)
      .tokenUsed(id)
      .catch(() => void this.#reported.delete(id))
  }

  /** Makes the next look-up ask the object, because this isolate has changed a token. */
  forget(): void {
    this.#known = null
    this.#askedAtMs = Number.NEGATIVE_INFINITY
    this.#reported.clear()
  }

  #isFresh(nowMs: number): boolean {
    return this.#known !== null && nowMs - this.#known.atMs < REVOKED_WITHIN_MS
  }

  #search(sha256: string, nowMs: number): Lookup {
    if (!this.#known || nowMs - this.#known.atMs >= KEPT_MS) return 'silent'
    const found = this.#known.tokens.find(token => token.sha256 === sha256 && token.revokedAtMs === null)
    return found ?? 'unknown'
  }

  /** Fetches the list, at most once a second. Requests that come meanwhile wait for the same answer. */
  async #ask(env: Env, nowMs: number): Promise<void> {
    if (this.#asking) return this.#asking
    if (nowMs - this.#askedAtMs < ASKED_EVERY_MS) return
    this.#askedAtMs = nowMs
    this.#asking = this.#read(env, nowMs).finally(() => {
      this.#asking = null
    })
    await this.#asking
  }

  async #read(env: Env, nowMs: number): Promise<void> {
    try {
      const tokens = await within(ANSWERED_WITHIN_MS, operatorsStub(env).tokens())
      if (tokens !== 'late') this.#known = { tokens, atMs: nowMs }
    } catch (error) {
      seldom.note('room-silent', { room: OPERATORS, seenBy: 'admin', detail: String(error) }, nowMs)
    }
  }
}
