/** One door for a whole room, made of the real core, that counts calls. A test sets its permits. */
import * as core from '../../../src/core/door/door.ts'
import { Ledger } from '../../../src/core/limits/ledger.ts'
import type { DoorCalls } from '../../../src/core/protocol/calls.ts'
import type {
  Claim,
  ClaimAnswer,
  EdgeReply,
  EdgeReport,
  Renewal,
  RenewalAnswer,
  Snapshot,
} from '../../../src/core/protocol/messages.ts'
import type { OfferAnswer, TakeAnswer } from '../../../src/core/protocol/transfers.ts'
import { leaseMs, type Session } from '../../../src/core/session.ts'
import { MAIN_LANE } from '../../../src/core/ticket.ts'
import { compile, type RoomSettings } from '../../../src/settings/compiled/room.ts'
import type { Env } from '../../../src/settings/env.ts'
import { parseRooms } from '../../../src/settings/rooms.ts'
import type { RoomConfig } from '../../../src/settings/schema.ts'
import { MemorySessions } from '../../../tools/simulation/sessions.ts'
import { env } from './visitor.ts'

export class OneDoor implements DoorCalls<RoomConfig> {
  /** The number of claims, renewals, ends and extensions so far. */
  calls = 0
  open = true
  readonly #state = core.newDoor('xx-0', 1, 0)
  readonly #sessions = new MemorySessions()
  readonly #ledger = new Ledger({ load: () => [], save: () => undefined })
  readonly #settings: RoomSettings
  readonly #config: RoomConfig

  constructor(room: unknown) {
    const [config] = parseRooms([room])
    if (!config) throw new Error('a room was expected')
    this.#config = config
    this.#settings = compile(config)
  }

  /** Bindings of an edge whose only room has this door. */
  get bindings(): Env {
    return { ...env, ROOMS: [this.#config], DOOR: { getByName: () => this } } as unknown as Env
  }

  /** Permits that claims may take from now on. */
  set permits(count: number) {
    this.#state.granted = this.#state.spent + this.#state.returned + count
  }

  async sync(report: EdgeReport): Promise<EdgeReply<RoomConfig>> {
    return { seq: report.seq, snapshot: this.#snapshot(), version: '', silentMs: 0 }
  }

  async claim(claim: Claim): Promise<ClaimAnswer> {
    const nowMs = this.#counted()
    this.#state.snapshot = this.#snapshot()
    const decision = core.decideClaim(this.#state, this.#ruled(), { request: claim, attempt: 'new' }, nowMs)
    if (decision.verdict === 'undecided') return { verdict: 'none', retryAfterMs: core.RETRY_AFTER_MS }
    if (decision.verdict !== 'admitted' || decision.known || !claim.tokenRequests) return decision
    return { ...decision, grants: this.#lend(claim.sid, claim.tokenRequests, nowMs) }
  }

  async renew(renewals: readonly Renewal[]): Promise<readonly RenewalAnswer[]> {
    const nowMs = this.#counted()
    return renewals.map(renewal => {
      const answer = core.renewSession(this.#ruled(), renewal, nowMs)
      if (answer.verdict === 'ended' || !renewal.tokenRequests) return answer
      return { ...answer, grants: this.#lend(renewal.sid, renewal.tokenRequests, nowMs) }
    })
  }

  async end(sid: string, how: 'left' | 'revoked'): Promise<boolean> {
    return core.endSession(this.#ruled(), sid, how, this.#counted())
  }

  async offerTransfer(): Promise<OfferAnswer> {
    this.#counted()
    return { verdict: 'over' }
  }

  async takeTransfer(): Promise<TakeAnswer> {
    this.#counted()
    return { verdict: 'none' }
  }

  async extend(sid: string, byMs: number): Promise<boolean> {
    return core.extendSession(this.#sessions, sid, byMs, this.#counted())
  }

  async session(sid: string): Promise<Session | null> {
    return this.#sessions.get(sid) ?? null
  }

  async nudge(): Promise<void> {}

  #ruled(): core.DoorSessions {
    return { store: this.#sessions, rules: this.#settings.session }
  }

  #counted(): number {
    this.calls++
    return Date.now()
  }

  #lend(sid: string, asks: Claim['tokenRequests'] & object, nowMs: number) {
    const { quotas, session } = this.#settings
    return this.#ledger.lend(sid, asks, policy => quotas.get(policy), { leaseMs: leaseMs(session), nowMs })
  }

  /** A closed room has called every ticket, so each visitor with a ticket may claim. */
  #snapshot(): Snapshot {
    const nowMs = Date.now()
    const lane = { frontierKey: nowMs, lapsedKey: 0, calledAhead: 0, curve: [], speed: null }
    const lanes = { [MAIN_LANE]: lane }
    return { asOfMs: nowMs, generation: 1, open: this.open, held: false, full: false, ratePerSecond: 10, lanes }
  }
}
