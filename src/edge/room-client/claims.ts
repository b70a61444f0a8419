/**
 * Claims of one isolate at the doors of a room. Refusals are remembered, so that no visitor can make the isolate call a
 * door again and again.
 */
import type { Claim, ClaimAnswer } from '../../core/protocol/messages.ts'
import { doorOf, placeIdOf } from '../../core/ticket.ts'
import type { Caller, DoorClient } from './door-client.ts'
import type { Memory } from './memory.ts'

/**
 * A request that comes again within this time does not claim again: nothing new is known, because the snapshot is as
 * old.
 */
const CLAIMED_FOR_MS = 1_000

export class Claims {
  readonly #doors: DoorClient
  readonly #claims: Memory['claims']
  /** Doors that have had no permit left since the last sync. */
  readonly #exhausted = new Set<string>()

  constructor(doors: DoorClient, { claims }: Memory) {
    this.#doors = doors
    this.#claims = claims
  }

  /** Returns the door's last answer to a claim for the same place, while it is fresh. */
  lately(place: string, nowMs: number): ClaimAnswer | null {
    const last = this.#claims.get(place)
    return last && Math.abs(nowMs - last.atMs) < CLAIMED_FOR_MS ? last.answer : null
  }

  async ask(caller: Caller, claim: Claim): Promise<ClaimAnswer> {
    const door = doorOf(claim.sid)
    const answer = await this.#doors.call(caller, door, stub => stub.claim(claim))
    if (answer.verdict === 'none') this.#exhausted.add(door)
    this.#claims.set(placeIdOf(claim), { atMs: caller.nowMs, answer })
    return answer
  }

  /** True if a door had no permit left at its last answer. */
  isExhausted(door: string): boolean {
    return this.#exhausted.has(door)
  }

  /** Notes a sync: doors may have permits again. */
  noteSync(): void {
    this.#exhausted.clear()
  }
}
