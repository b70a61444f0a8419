/**
 * Our own limits over several isolates: their token leases (`src/core/limits/lease.ts`), the door's ledger
 * (`src/core/limits/ledger.ts`), and the messages between them.
 */
import type { Quota } from '../../src/core/gcra.ts'
import {
  giveBack,
  type Holding,
  isWorthGivingBack,
  leave,
  newHolding,
  nextRequest,
  noteGrant,
  wait,
} from '../../src/core/limits/lease.ts'
import { Ledger } from '../../src/core/limits/ledger.ts'
import type { TokenGrant, TokenRequest } from '../../src/core/protocol/messages.ts'
import { look, take } from '../simulation/leases.ts'
import { LEASE_MS, Told } from './told.ts'

/** As often as an isolate looks for idle tokens. */
const LOOK_MS = 2_000
const NOTHING: TokenGrant = { tokens: 0, remaining: 0, retryAfterMs: 0 }

/** A message's round trip to a door. */
export type Hop = (message: string) => Promise<unknown>

export class Ours {
  /** Calls to the door. */
  calls = 0
  /** Refusals by the door that its messages do not explain. */
  beyondGrain = 0
  readonly #quota: Quota
  readonly #hop: Hop | null
  readonly #isolates: Map<string, Holding>[]
  readonly #ledger = new Ledger({ load: () => [], save: () => undefined })
  readonly #asking = new Map<Holding, Promise<void>>()
  readonly #told = new Map<string, Told>()
  readonly #watched = new Map<Holding, string>()
  #lookMs = 0

  /** With a hop the door is at its other end. Without one the door answers at once, and its answers are checked. */
  constructor(quota: Quota, isolates: number, hop: Hop | null = null) {
    this.#quota = quota
    this.#hop = hop
    this.#isolates = Array.from({ length: isolates }, () => new Map())
  }

  check(session: string, isolate: number, nowMs: number): boolean | Promise<boolean> {
    this.#look(nowMs)
    const holding = this.#holdingOf(session, isolate)
    const taken = take(holding, nowMs)
    if (taken !== 'ask') return taken === 'allowed'
    if (this.#hop) return this.#checkOver(this.#hop, session, holding, nowMs)
    wait(holding, 1, nowMs)
    const request = nextRequest(holding, this.#quota, 1, nowMs)
    const grant = this.#touch(session, holding, request, nowMs)
    if (this.#toldOf(session).hear(request, grant, nowMs)) this.beyondGrain++
    leave(holding, 1)
    return take(holding, nowMs) === 'allowed'
  }

  /** Requests of a session that wait at one isolate share a call. */
  async #checkOver(hop: Hop, session: string, holding: Holding, nowMs: number): Promise<boolean> {
    for (;;) {
      const taken = take(holding, nowMs)
      if (taken !== 'ask') return taken === 'allowed'
      wait(holding, 1, nowMs)
      await (this.#asking.get(holding) ?? this.#askOver(hop, session, holding, nowMs))
      leave(holding, 1)
    }
  }

  #askOver(hop: Hop, session: string, holding: Holding, nowMs: number): Promise<void> {
    const request = nextRequest(holding, this.#quota, 1, nowMs)
    const asking = hop(JSON.stringify(request)).then(() => {
      this.#asking.delete(holding)
      this.#touch(session, holding, request, nowMs)
    })
    this.#asking.set(holding, asking)
    return asking
  }

  #touch(session: string, holding: Holding, request: TokenRequest, nowMs: number): TokenGrant {
    this.calls++
    const [grant = NOTHING] = this.#ledger.touch(session, [request], () => this.#quota, { leaseMs: LEASE_MS, nowMs })
    noteGrant(holding, request, grant, { sentMs: nowMs, leaseMs: LEASE_MS, nowMs })
    if (isWorthGivingBack(holding, this.#quota, nowMs)) this.#watched.set(holding, session)
    holding.usedSeen = holding.used
    return grant
  }

  /** Gives idle tokens back. */
  #look(nowMs: number): void {
    if (this.#lookMs === 0) this.#lookMs = nowMs + LOOK_MS
    for (; this.#lookMs <= nowMs; this.#lookMs += LOOK_MS) {
      for (const [holding, session] of this.#watched) {
        const found = look(holding, this.#quota, this.#lookMs)
        if (found !== 'used') this.#watched.delete(holding)
        if (found === 'idle') {
          const request = giveBack(holding, nowMs)
          const grant = this.#touch(session, holding, request, this.#lookMs)
          if (this.#hop) void this.#hop(JSON.stringify(request))
          else this.#toldOf(session).hear(request, grant, this.#lookMs)
        }
      }
    }
  }

  #holdingOf(session: string, isolate: number): Holding {
    const holdings = this.#isolates[isolate] as Map<string, Holding>
    const known = holdings.get(session)
    if (known) return known
    const holding = newHolding('policy', 'policy', this.#quota, String(isolate))
    holdings.set(session, holding)
    return holding
  }

  #toldOf(session: string): Told {
    const known = this.#told.get(session)
    if (known) return known
    const told = new Told(this.#quota)
    this.#told.set(session, told)
    return told
  }
}
