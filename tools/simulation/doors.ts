/**
 * The doors' processes: what `src/core/door/door.ts` decides about claims, touches and reports of edges, and when a
 * door syncs with the room. A door that loses its memory keeps its epoch, its sessions and its stored debts.
 */
import * as doorHalf from '../../src/core/door/door.ts'
import type { Quota } from '../../src/core/gcra.ts'
import { Ledger } from '../../src/core/limits/ledger.ts'
import type {
  Claim,
  ClaimAnswer,
  EdgeReply,
  EdgeReport,
  Renewal,
  RenewalAnswer,
} from '../../src/core/protocol/messages.ts'
import { leaseMs, type SessionRules } from '../../src/core/session.ts'
import { doorOf } from '../../src/core/ticket.ts'
import { SNAPSHOT_FOR_MS } from '../../src/core/timing.ts'
import { type Door, newDoor } from './door.ts'
import type { Below, Room, RoomAnswer } from './room.ts'
import { CLAIM_WINDOW_MS, POLICY, REENTRY_GRACE_MS } from './scenario.ts'
import type { Surroundings } from './surroundings.ts'
import type { Visitor } from './visitor.ts'

const TICK_MS = 1_000
/** A claim waits at its door for the room's answer at most this long. */
const ASK_WAIT_MS = 1_000

export class Doors implements Below {
  readonly #around: Surroundings
  readonly #room: Room
  readonly #doors: Door[]
  readonly #rules: SessionRules
  readonly #quota: Quota | null
  readonly #admittedIn = new Map<string, number>()

  constructor(around: Surroundings, room: Room, quota: Quota | null) {
    const { doors, sessionMs } = around.scenario
    this.#around = around
    this.#room = room
    this.#quota = quota
    this.#doors = Array.from({ length: doors }, (_, index) => newDoor(index))
    this.#rules = {
      sessionMs,
      renewal: true,
      sessionMaxMs: null,
      reentryGraceMs: REENTRY_GRACE_MS,
      claimWindowMs: CLAIM_WINDOW_MS,
    }
  }

  /** Exchanges a place for a session, on behalf of a visitor. */
  claim(visitor: Visitor, ticket: Claim, reply: (answer: ClaimAnswer) => void): void {
    const { agenda, counts } = this.#around
    const door = this.#doorOf(ticket.sid)
    counts.objectRequests++
    const deadlineMs = agenda.nowMs + ASK_WAIT_MS
    const decide = (attempt: doorHalf.Attempt): void => {
      const { state } = door
      const decision = this.#decide(door, visitor, ticket, attempt)
      this.#keepTicking(door)
      if (decision.verdict !== 'undecided') return reply(decision)
      let decided = false
      const again = (next: doorHalf.Attempt) => {
        if (decided || door.state !== state) return
        decided = true
        decide(next)
      }
      if (!door.inFlight) this.#sync(door)
      door.waiting.push(() => again(agenda.nowMs < deadlineMs ? 'waiting' : 'last'))
      agenda.at(deadlineMs, () => again('last'))
    }
    decide('new')
  }

  /**
   * Renews a session, and charges its ledger for what is asked. The check fails if the door reports a session as over
   * before its time.
   */
  touch(visitor: Visitor, renewal: Renewal): RenewalAnswer {
    const { agenda, checks, counts, events } = this.#around
    const { stay } = visitor
    const { nowMs } = agenda
    const door = this.#doorOf(renewal.sid)
    counts.objectRequests++
    const answer = doorHalf.renew({ store: door.sessions, rules: this.#rules }, renewal, nowMs)
    if (answer.verdict === 'ended') checks.lostSession(visitor, stay?.expiresMs ?? 0, nowMs)
    else if (stay) stay.expiresMs = answer.expiresMs
    if (answer.verdict === 'ended' || !renewal.tokenRequests) return answer
    const grants = door.ledger.lend(renewal.sid, renewal.tokenRequests, this.#quotaOf, {
      leaseMs: answer.leaseMs,
      nowMs,
    })
    events?.note(
      nowMs,
      visitor,
      `door ${door.state.name}: ${renewal.sid} asks ${say(renewal.tokenRequests)}, gets ${say(grants)}`,
    )
    return { ...answer, grants }
  }

  /** Applies an edge's report. Answers with a snapshot of the room as soon as there is a current one. */
  hear(index: number, report: EdgeReport, reply: (answer: EdgeReply<never>) => void): void {
    const { agenda, counts } = this.#around
    const door = this.#doors[index] as Door
    counts.objectRequests++
    doorHalf.applyEdgeReport(door.state, report)
    this.#keepTicking(door)
    const answer = () =>
      door.state.snapshot && reply({ seq: report.seq, snapshot: door.state.snapshot, version: '', silentMs: 0 })
    if (agenda.nowMs - door.heardAtMs <= SNAPSHOT_FOR_MS && door.state.snapshot) {
      answer()
      return
    }
    door.waiting.push(answer)
    if (!door.inFlight) this.#sync(door)
  }

  /** The door loses its memory. Its epoch, its sessions and its stored debts are durable. */
  evict(index: number): void {
    const { agenda, checks, events } = this.#around
    const door = this.#doors[index] as Door
    door.epoch++
    door.state = doorHalf.newDoor(`d${index}`, door.epoch, agenda.nowMs)
    door.ledger = new Ledger(door.debts)
    checks.limit?.doorDies(`d${index}`, agenda.nowMs)
    door.inFlight = false
    door.heardAtMs = Number.NEGATIVE_INFINITY
    // The connections of waiting callers break: each caller gets its timeout instead of an answer.
    door.waiting = []
    events?.note(agenda.nowMs, null, `door d${index} is evicted`)
    this.#keepTicking(door)
  }

  poke(name: string): void {
    this.#poke(this.#byName(name))
  }

  pokeAll(): void {
    for (const door of this.#doors) this.#poke(door)
  }

  checkInside(): void {
    const { agenda, checks } = this.#around
    checks.inside({ live: this.live(), out: this.#permitsOut() }, agenda.nowMs)
  }

  /** Sessions that take a place, as their doors count them. */
  live(): number {
    let live = 0
    for (const door of this.#doors) live += door.sessions.live(this.#around.agenda.nowMs)
    return live
  }

  admittedIn(lane: string): number {
    return this.#admittedIn.get(lane) ?? 0
  }

  get rowsRead(): number {
    return this.#doors.reduce((sum, { sessions }) => sum + sessions.rowsRead, 0)
  }

  get rowsWritten(): number {
    return this.#doors.reduce(
      (sum, { sessions, debts, epoch }) => sum + sessions.rowsWritten + debts.rowsWritten + epoch,
      0,
    )
  }

  #byName(name: string): Door {
    return this.#doors[Number(name.slice(1))] as Door
  }

  #doorOf(sid: string): Door {
    return this.#byName(doorOf(sid))
  }

  readonly #quotaOf = (policy: string) => (policy === POLICY ? (this.#quota ?? undefined) : undefined)

  #decide(door: Door, visitor: Visitor, ticket: Claim, attempt: doorHalf.Attempt): doorHalf.Decision {
    const { agenda, checks, events } = this.#around
    const { nowMs } = agenda
    const { state } = door
    const spentBefore = state.spent
    const sessions = { store: door.sessions, rules: this.#rules }
    const decision = doorHalf.claim(state, sessions, { request: ticket, attempt }, nowMs)
    const { name, spent, granted } = state
    events?.note(nowMs, visitor, `door ${name}: ${ticket.sid} ${decision.verdict}, spent ${spent} of ${granted}`)
    if (spent > spentBefore) {
      checks.admitted(visitor, ticket, nowMs)
      this.#admittedIn.set(ticket.lane, this.admittedIn(ticket.lane) + 1)
      // The request that came with the claim passes when the door admits the session.
      if (ticket.tokenRequests) checks.passed(visitor, ticket.sid, nowMs)
    }
    if (decision.verdict === 'admitted' && ticket.tokenRequests) {
      door.ledger.lend(ticket.sid, ticket.tokenRequests, this.#quotaOf, { leaseMs: leaseMs(this.#rules), nowMs })
    }
    return decision
  }

  #sync(door: Door): void {
    const { agenda, network } = this.#around
    const sentMs = agenda.nowMs
    const { state } = door
    door.inFlight = true
    doorHalf.allowAsking(state)
    const report = doorHalf.report(state, door.sessions.live(sentMs), '', sentMs)
    network.call<RoomAnswer>(
      reply => this.#room.sync(report, this, reply),
      reply => {
        if (door.state !== state) return
        door.inFlight = false
        if (reply) {
          doorHalf.applyReply(state, reply, agenda.nowMs)
          door.heardAtMs = Math.max(door.heardAtMs, sentMs)
          this.checkInside()
        }
        const { waiting } = door
        door.waiting = []
        for (const go of waiting) go()
        this.#keepTicking(door)
      },
    )
  }

  #poke(door: Door): void {
    this.#around.counts.objectRequests++
    if (!door.inFlight) this.#sync(door)
  }

  /** An active door reports every second. Its alarm makes it report when places come free. */
  #keepTicking(door: Door): void {
    const { agenda } = this.#around
    const { nowMs } = agenda
    if (!door.ticking && doorHalf.isActive(door.state, door.sessions.live(nowMs), nowMs)) {
      door.ticking = true
      agenda.at(nowMs + TICK_MS, () => {
        door.ticking = false
        this.#tellRoom(door)
      })
    }
    this.#wake(door)
  }

  /** As in the Door object: the alarm only moves to an earlier time, and is set in whole seconds. */
  #wake(door: Door): void {
    const { agenda, counts } = this.#around
    const endMs = door.sessions.nextEndMs()
    if (endMs === undefined) return
    const atMs = Math.ceil(Math.max(endMs, agenda.nowMs) / TICK_MS) * TICK_MS
    if (door.alarmAtMs <= atMs) return
    door.alarmAtMs = atMs
    counts.rowsWritten++
    agenda.at(atMs, () => {
      if (door.alarmAtMs !== atMs) return
      door.alarmAtMs = Number.POSITIVE_INFINITY
      counts.objectRequests++
      this.#tellRoom(door)
    })
  }

  #tellRoom(door: Door): void {
    const { nowMs } = this.#around.agenda
    const owesReport = doorHalf.isActive(door.state, door.sessions.live(nowMs), nowMs)
    if (owesReport && !door.inFlight) this.#sync(door)
    else this.#keepTicking(door)
  }

  /** Permits outstanding at the present epoch of each door, including those in an answer on its way. */
  #permitsOut(): number {
    let out = 0
    for (const { state } of this.#doors) {
      const granted = this.#room.grantedTo(state.name, state.epoch)
      out += Math.max(granted, state.granted) - state.spent - state.returned
    }
    return out
  }
}

function say(what: unknown): string {
  return JSON.stringify(what)
}
