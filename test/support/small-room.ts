/**
 * A room with one door and one isolate, and no network between them. Its visitors keep asking, and get the answers of
 * the gate. It shows how people share places over many sessions. In the simulation each visitor has only one session.
 */

import {
  applyReply,
  type DoorSessions,
  type DoorState,
  decideClaim,
  newDoor,
  renewSession,
  report,
} from '../../src/core/door/door.ts'
import { arrivalBucketOf } from '../../src/core/line/arrivals.ts'
import { frontFor, placeOf, refused, seen } from '../../src/core/place/place.ts'
import type { ClaimAnswer, Snapshot } from '../../src/core/protocol/messages.ts'
import { newRoom, type RoomRules, type RoomState, sync } from '../../src/core/room/room.ts'
import type { Again, SessionRules } from '../../src/core/session.ts'
import { MAIN_LANE, type Ticket } from '../../src/core/ticket.ts'
import { MemorySessions } from '../../tools/simulation/sessions.ts'

const STEP_MS = 250
const SYNC_EVERY_MS = 1_000
const START_MS = 1_700_000_000_000

export interface Asker {
  /** How often the visitor asks while waiting. */
  readonly everyMs: number
  /** How long the visitor rests between two requests inside. */
  readonly restsMs: number
}

/** One admission: the index of the visitor, and whether the place was one at the front. */
export interface Entry {
  readonly visitor: number
  readonly isReentry: boolean
  readonly atMs: number
}

interface Person extends Asker {
  readonly index: number
  nextMs: number
  sid: string | null
  ticket: Ticket | null
}

export class SmallRoom {
  readonly entries: Entry[] = []
  readonly #room: RoomState = newRoom(START_MS)
  readonly #door: DoorState = newDoor('eu-0', 1, START_MS)
  readonly #sessions: DoorSessions
  readonly #people: readonly Person[]
  readonly #roomRules: RoomRules
  #places = 0

  constructor(askers: readonly Asker[], sessionRules: SessionRules, places: number) {
    this.#people = askers.map((asker, index) => ({
      ...asker,
      index,
      nextMs: START_MS + index * STEP_MS,
      sid: null,
      ticket: null,
    }))
    this.#sessions = { store: new MemorySessions(), rules: sessionRules }
    this.#roomRules = { ratePerMinute: 600, totalActiveUsers: places, claimWindowMs: sessionRules.claimWindowMs }
  }

  play(forMs: number): readonly Entry[] {
    for (let nowMs = START_MS; nowMs < START_MS + forMs; nowMs += STEP_MS) {
      if ((nowMs - START_MS) % SYNC_EVERY_MS === 0) this.#sync(nowMs)
      for (const person of this.#people) if (person.nextMs <= nowMs) this.#ask(person, nowMs)
    }
    return this.entries
  }

  #ask(person: Person, nowMs: number): void {
    if (person.sid !== null) {
      const answer = renewSession(this.#sessions, { sid: person.sid, protectMs: 0 }, nowMs)
      if (answer.verdict === 'live') {
        person.nextMs = nowMs + person.restsMs
        return
      }
      person.sid = null
      person.ticket = answer.again && this.#atFront(answer.again, nowMs)
    }
    this.#stand(person, nowMs)
    person.nextMs = nowMs + (person.sid === null ? person.everyMs : person.restsMs)
  }

  #stand(person: Person, nowMs: number): void {
    const { claimWindowMs } = this.#sessions.rules
    const snapshot = this.#snapshot()
    let ticket = person.ticket ?? this.#newTicket(nowMs)
    let place = placeOf(ticket, snapshot, claimWindowMs, nowMs)
    if (place.state === 'missed') {
      ticket = this.#newTicket(nowMs)
      place = placeOf(ticket, snapshot, claimWindowMs, nowMs)
    }
    const next = ticket === person.ticket ? seen(ticket, place, claimWindowMs, nowMs) : ticket
    if (next.confirmed && !ticket.confirmed) this.#door.tally.add(`line/${MAIN_LANE}/${arrivalBucketOf(next.key)}`)
    person.ticket = next
    if (place.state !== 'called') return
    const answer = this.#claim(next, nowMs)
    if (answer.verdict === 'admitted') {
      this.entries.push({ visitor: person.index, isReentry: next.sid.includes('~'), atMs: nowMs - START_MS })
      person.sid = next.sid
      person.ticket = null
    } else if (answer.verdict === 'ended') person.ticket = answer.again && this.#atFront(answer.again, nowMs)
    else person.ticket = refused(next, this.#snapshot(), claimWindowMs, nowMs)
  }

  #claim({ sid, key, lane, generation }: Ticket, nowMs: number): ClaimAnswer {
    const request = { sid, key, lane, generation }
    const decide = (attempt: 'new' | 'last') => decideClaim(this.#door, this.#sessions, { request, attempt }, nowMs)
    let decision = decide('new')
    if (decision.verdict === 'undecided') {
      this.#sync(nowMs)
      decision = decide('last')
    }
    if (decision.verdict === 'undecided') throw new Error('a last attempt must be decided')
    return decision
  }

  #sync(nowMs: number): void {
    const { epoch } = this.#door
    const said = report(this.#door, this.#sessions.store.live(nowMs), '', nowMs)
    const outcome = sync(this.#room, said, this.#roomRules, nowMs)
    if (outcome.kind === 'stale') throw new Error('a report of the only incarnation of a door must not be stale')
    applyReply(
      this.#door,
      { epoch, seq: said.seq, granted: outcome.granted, snapshot: this.#room.snapshot as Snapshot },
      nowMs,
    )
  }

  #snapshot(): Snapshot {
    return this.#door.snapshot as Snapshot
  }

  #atFront({ sid, key, lane }: Again, nowMs: number): Ticket {
    const byMs = nowMs + this.#sessions.rules.claimWindowMs
    return { ...this.#newTicket(nowMs), sid, ...frontFor({ key, lane }, this.#snapshot()), byMs }
  }

  #newTicket(nowMs: number): Ticket {
    const sid = `eu-0.${String(this.#places++).padStart(22, '0')}`
    const shown = { low: null, byMs: null, confirmed: false }
    return { room: 'small', sid, key: nowMs, lane: MAIN_LANE, ...shown, generation: 1, issuedMs: nowMs }
  }
}
