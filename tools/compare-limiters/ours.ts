/**
 * Our own limits over several isolates: their token leases (`src/core/limits/token-lease.ts`), the door's ledger
 * (`src/core/limits/ledger.ts`), and the messages between them.
 */
import type { Quota } from '../../src/core/gcra.ts'
import { noteGrant } from '../../src/core/limits/answers.ts'
import { Ledger } from '../../src/core/limits/ledger.ts'
import {
  beginWait,
  endWait,
  IDLE_LOOK_MS,
  isIdle,
  isWorthReturning,
  newTokenLease,
  nextRequest,
  noteLook,
  returnTokens,
  type TokenLease,
} from '../../src/core/limits/token-lease.ts'
import type { TokenGrant, TokenRequest } from '../../src/core/protocol/messages.ts'
import { take } from '../simulation/leases.ts'
import { LEASE_MS, MessageLog } from './message-log.ts'

const NOTHING: TokenGrant = { tokens: 0, remaining: 0, retryAfterMs: 0 }

/** A message's round trip to a door. */
type Hop = (message: string) => Promise<unknown>

export class Ours {
  /** Calls to the door. */
  calls = 0
  /** Refusals by the door that its messages do not explain. */
  beyondGrain = 0
  readonly #quota: Quota
  readonly #hop: Hop | null
  readonly #isolates: Map<string, TokenLease>[]
  readonly #ledger = new Ledger({ load: () => [], save: () => undefined })
  readonly #asking = new Map<TokenLease, Promise<void>>()
  readonly #logs = new Map<string, MessageLog>()
  readonly #watched = new Map<TokenLease, string>()
  #lookMs = 0

  /** With a hop each call to the door is a round trip. Without a hop the door answers at once, and is checked. */
  constructor(quota: Quota, isolates: number, hop: Hop | null = null) {
    this.#quota = quota
    this.#hop = hop
    this.#isolates = Array.from({ length: isolates }, () => new Map())
  }

  check(session: string, isolate: number, nowMs: number): boolean | Promise<boolean> {
    this.#look(nowMs)
    const lease = this.#leaseOf(session, isolate)
    const taken = take(lease, nowMs)
    if (taken !== 'short') return taken === 'enough'
    if (this.#hop) return this.#checkOver(this.#hop, session, lease, nowMs)
    beginWait(lease, 1, nowMs)
    const request = nextRequest(lease, this.#quota, 1, nowMs)
    const grant = this.#lend(session, lease, request, nowMs)
    if (this.#logOf(session).add(request, grant, nowMs)) this.beyondGrain++
    endWait(lease, 1)
    return take(lease, nowMs) === 'enough'
  }

  /** Requests of one session that wait in one isolate share one call to the door. */
  async #checkOver(hop: Hop, session: string, lease: TokenLease, nowMs: number): Promise<boolean> {
    for (;;) {
      const taken = take(lease, nowMs)
      if (taken !== 'short') return taken === 'enough'
      beginWait(lease, 1, nowMs)
      await (this.#asking.get(lease) ?? this.#askOver(hop, session, lease, nowMs))
      endWait(lease, 1)
    }
  }

  #askOver(hop: Hop, session: string, lease: TokenLease, nowMs: number): Promise<void> {
    const request = nextRequest(lease, this.#quota, 1, nowMs)
    const asking = hop(JSON.stringify(request)).then(() => {
      this.#asking.delete(lease)
      this.#lend(session, lease, request, nowMs)
    })
    this.#asking.set(lease, asking)
    return asking
  }

  #lend(session: string, lease: TokenLease, request: TokenRequest, nowMs: number): TokenGrant {
    this.calls++
    const [grant = NOTHING] = this.#ledger.lend(session, [request], () => this.#quota, { leaseMs: LEASE_MS, nowMs })
    noteGrant(lease, request, grant, { sentMs: nowMs, leaseMs: LEASE_MS, nowMs })
    if (isWorthReturning(lease, this.#quota, nowMs)) this.#watched.set(lease, session)
    noteLook(lease)
    return grant
  }

  /** Gives idle tokens back. */
  #look(nowMs: number): void {
    if (this.#lookMs === 0) this.#lookMs = nowMs + IDLE_LOOK_MS
    for (; this.#lookMs <= nowMs; this.#lookMs += IDLE_LOOK_MS) {
      for (const [lease, session] of this.#watched) {
        const isToReturn = isIdle(lease, this.#quota, this.#lookMs)
        if (isToReturn || !isWorthReturning(lease, this.#quota, this.#lookMs)) this.#watched.delete(lease)
        noteLook(lease)
        if (isToReturn) {
          const request = returnTokens(lease, nowMs)
          const grant = this.#lend(session, lease, request, this.#lookMs)
          if (this.#hop) void this.#hop(JSON.stringify(request))
          else this.#logOf(session).add(request, grant, this.#lookMs)
        }
      }
    }
  }

  #leaseOf(session: string, isolate: number): TokenLease {
    const leases = this.#isolates[isolate] as Map<string, TokenLease>
    const known = leases.get(session)
    if (known) return known
    const lease = newTokenLease('policy', 'policy', this.#quota, String(isolate))
    leases.set(session, lease)
    return lease
  }

  #logOf(session: string): MessageLog {
    const known = this.#logs.get(session)
    if (known) return known
    const log = new MessageLog(this.#quota)
    this.#logs.set(session, log)
    return log
  }
}
