/** All doors of the room. */
import type { QuotaOf } from '../../src/core/limits/ledger.ts'
import type {
  Claim,
  ClaimAnswer,
  EdgeReply,
  EdgeReport,
  Renewal,
  RenewalAnswer,
} from '../../src/core/protocol/messages.ts'
import { doorOf } from '../../src/core/ticket.ts'
import { Door } from './door.ts'
import type { Below, Room } from './room.ts'
import { CLAIM_WINDOW_MS, MISSED_GRACE_MS, REENTRY_GRACE_MS } from './scenario.ts'
import type { Surroundings } from './surroundings.ts'
import type { Visitor } from './visitor.ts'

export class Doors implements Below {
  readonly #around: Surroundings
  readonly #doors: readonly Door[]

  constructor(around: Surroundings, room: Room, quotaOf: QuotaOf) {
    const { doors, sessionMs } = around.scenario
    const rules = {
      sessionMs,
      renewal: true,
      sessionMaxMs: null,
      reentryGraceMs: REENTRY_GRACE_MS,
      claimWindowMs: 2 * CLAIM_WINDOW_MS + MISSED_GRACE_MS,
    }
    this.#around = around
    this.#doors = Array.from(
      { length: doors },
      (_, index) => new Door(`d-${index}`, around, { room, doors: this, rules, quotaOf }),
    )
  }

  claim(visitor: Visitor, request: Claim, reply: (answer: ClaimAnswer) => void): void {
    this.#byName(doorOf(request.sid)).claim(visitor, request, reply)
  }

  /** Renews a session. The check fails if its door reports the session as over before its time. */
  renew(visitor: Visitor, request: Renewal): RenewalAnswer {
    const { agenda, checks } = this.#around
    const { stay } = visitor
    const answer = this.#byName(doorOf(request.sid)).renew(visitor, request)
    if (answer.verdict === 'ended') checks.lostSession(visitor, stay?.expiresMs ?? 0, agenda.nowMs)
    else if (stay) stay.expiresMs = answer.expiresMs
    return answer
  }

  sync(index: number, report: EdgeReport, reply: (answer: EdgeReply<never>) => void): void {
    this.#doors[index]?.sync(report, reply)
  }

  evict(index: number): void {
    this.#doors[index]?.evict()
  }

  poke(name: string): void {
    this.#byName(name).poke()
  }

  pokeAll(): void {
    for (const door of this.#doors) door.poke()
  }

  checkInside(): void {
    const { agenda, checks } = this.#around
    checks.inside({ live: this.live, out: this.#sum(door => door.permitsOut) }, agenda.nowMs)
  }

  /** Sessions that take a place, as their doors count them. */
  get live(): number {
    return this.#sum(door => door.live)
  }

  admittedIn(lane: string): number {
    return this.#sum(({ admitted }) => admitted.get(lane) ?? 0)
  }

  /** The calls and syncs of edges at each door so far. */
  get calls(): readonly number[] {
    return this.#doors.map(({ calls }) => calls)
  }

  get rowsRead(): number {
    return this.#sum(door => door.rowsRead)
  }

  get rowsWritten(): number {
    return this.#sum(door => door.rowsWritten)
  }

  #byName(name: string): Door {
    return this.#doors[Number(name.slice(2))] as Door
  }

  #sum(of: (door: Door) => number): number {
    let sum = 0
    for (const door of this.#doors) sum += of(door)
    return sum
  }
}
