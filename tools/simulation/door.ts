/**
 * Simulates the process of a door. `src/core/door` decides about claims, renewals and reports of edges. This file
 * decides when the door reports to its room. A door that loses its memory keeps its epoch, its sessions and its stored
 * debts.
 */
import * as core from '../../src/core/door/door.ts'
import { type Lender, lendToClaim, renewAndLend } from '../../src/core/door/lending.ts'
import type { DoorSessions } from '../../src/core/door/sessions.ts'
import { Ledger, type QuotaOf } from '../../src/core/limits/ledger.ts'
import type {
  Claim,
  ClaimAnswer,
  EdgeReply,
  EdgeReport,
  Renewal,
  RenewalAnswer,
} from '../../src/core/protocol/messages.ts'
import type { SessionRules } from '../../src/core/session.ts'
import { alarmAtMs, CLAIM_AWAITED_MS, DOOR_REPORTS_EVERY_MS, SNAPSHOT_FOR_MS } from '../../src/core/timing.ts'
import { MemoryDebts } from './debts.ts'
import type { Below, Room, RoomAnswer } from './room.ts'
import { START_MS } from './scenario.ts'
import { MemorySessions } from './sessions.ts'
import type { Surroundings } from './surroundings.ts'
import type { Visitor } from './visitor.ts'

/** The part of the world behind a door. */
export interface Behind {
  readonly room: Room
  /** All doors, as the room sees them. */
  readonly doors: Below
  readonly rules: SessionRules
  readonly quotaOf: QuotaOf
}

export class Door {
  /** The number of admissions in each lane. */
  readonly admitted = new Map<string, number>()
  /** The number of calls and syncs that edges have made. */
  calls = 0
  readonly #around: Surroundings
  readonly #behind: Behind
  readonly #sessions: DoorSessions & { readonly store: MemorySessions }
  readonly #debts = new MemoryDebts()
  #lender: Lender
  #state: core.DoorState
  #epoch = 1
  /** The present snapshot came with the answer to a report. This is the time at which the report was sent. */
  #roomAnsweredAtMs = Number.NEGATIVE_INFINITY
  #ticks = false
  #alarmAtMs = Number.POSITIVE_INFINITY
  /** Whether a report to the room is under way. */
  #isReporting = false
  /** These functions are called when the room has answered, or when its answer is late. */
  #waiting: ((isAnswered: boolean) => void)[] = []

  constructor(name: string, around: Surroundings, behind: Behind) {
    this.#around = around
    this.#behind = behind
    this.#sessions = { store: new MemorySessions(), rules: behind.rules }
    this.#state = core.newDoor(name, this.#epoch, START_MS)
    this.#lender = this.#newLender()
  }

  #noteCall(): void {
    this.calls++
    core.noteCall(this.#state.calls, this.#around.agenda.nowMs)
  }

  /** Exchanges a place for a session, on behalf of a visitor. */
  claim(visitor: Visitor, request: Claim, reply: (answer: ClaimAnswer) => void): void {
    const { agenda, counts } = this.#around
    counts.objectRequests++
    this.#noteCall()
    const deadlineMs = agenda.nowMs + CLAIM_AWAITED_MS
    const decide = (attempt: core.Attempt): void => {
      const state = this.#state
      const answer = this.#decide(visitor, request, attempt)
      this.#keepReporting()
      if (answer.verdict !== 'undecided') return reply(answer)
      let isDecided = false
      const again = (isAnswered: boolean) => {
        if (isDecided || this.#state !== state) return
        isDecided = true
        decide(isAnswered ? 'waiting' : 'last')
      }
      this.#report()
      this.#waiting.push(again)
      agenda.at(deadlineMs, () => again(false))
    }
    decide('new')
  }

  renew(visitor: Visitor, request: Renewal): RenewalAnswer {
    const { agenda, counts, events } = this.#around
    const { nowMs } = agenda
    counts.objectRequests++
    this.#noteCall()
    const answer = renewAndLend(this.#lender, this.#sessions, request, nowMs)
    if (request.tokenRequests) {
      const requested = JSON.stringify(request.tokenRequests)
      events?.note(nowMs, visitor, `door ${this.#state.name}: ${request.sid} asks ${requested}, gets ${say(answer)}`)
    }
    return answer
  }

  /** Applies an edge's report. Answers with a snapshot of the room as soon as there is a current one. */
  sync(report: EdgeReport, reply: (answer: EdgeReply<never>) => void): void {
    const { agenda, counts } = this.#around
    counts.objectRequests++
    this.#noteCall()
    core.applyEdgeReport(this.#state, report, this.#around.agenda.nowMs)
    this.#keepReporting()
    const answer = () => {
      const { snapshot } = this.#state
      if (snapshot) reply({ seq: report.seq, snapshot, version: '', silentMs: 0 })
    }
    if (agenda.nowMs - this.#roomAnsweredAtMs <= SNAPSHOT_FOR_MS) return answer()
    this.#waiting.push(answer)
    this.#report()
  }

  /** The door loses its memory. */
  evict(): void {
    const { agenda, checks, events } = this.#around
    const { name } = this.#state
    this.#epoch++
    this.#state = core.newDoor(name, this.#epoch, agenda.nowMs)
    this.#lender = this.#newLender()
    checks.limit?.doorDies(name, agenda.nowMs)
    this.#isReporting = false
    this.#roomAnsweredAtMs = Number.NEGATIVE_INFINITY
    // The connections of waiting callers break: each caller gets its timeout instead of an answer.
    this.#waiting = []
    events?.note(agenda.nowMs, null, `door ${name} is evicted`)
    this.#keepReporting()
  }

  poke(): void {
    this.#around.counts.objectRequests++
    this.#report()
  }

  /** Sessions that take a place. */
  get live(): number {
    return this.#sessions.store.live(this.#around.agenda.nowMs)
  }

  /** Permits outstanding at the present epoch, including those in an answer on its way. */
  get permitsOut(): number {
    const { name, epoch, granted, spent, returned } = this.#state
    return Math.max(this.#behind.room.grantedTo(name, epoch), granted) - spent - returned
  }

  get rowsRead(): number {
    return this.#sessions.store.rowsRead
  }

  get rowsWritten(): number {
    return this.#sessions.store.rowsWritten + this.#debts.rowsWritten + this.#epoch
  }

  #newLender(): Lender {
    return { ledger: new Ledger(this.#debts), quotaOf: this.#behind.quotaOf }
  }

  #decide(visitor: Visitor, request: Claim, attempt: core.Attempt): core.ClaimDecision {
    const { agenda, checks, events } = this.#around
    const { nowMs } = agenda
    const state = this.#state
    const { sid, lane } = request
    const spentBefore = state.spent
    const answer = core.decideClaim(state, this.#sessions, { request, attempt }, nowMs)
    const { name, spent, granted } = state
    events?.note(nowMs, visitor, `door ${name}: ${sid} ${answer.verdict}, spent ${spent} of ${granted}`)
    if (spent > spentBefore) {
      checks.admitted(visitor, request, nowMs)
      this.admitted.set(lane, (this.admitted.get(lane) ?? 0) + 1)
      // The request that came with the claim passes when the door admits the session.
      if (request.tokenRequests) checks.passed(visitor, sid, nowMs)
    }
    return answer.verdict === 'undecided'
      ? answer
      : lendToClaim(this.#lender, this.#sessions, { request, answer }, nowMs)
  }

  /** Reports to the room, unless a report is under way. */
  #report(): void {
    if (this.#isReporting) return
    const { agenda, network } = this.#around
    const { room, doors } = this.#behind
    const sentMs = agenda.nowMs
    const state = this.#state
    this.#isReporting = true
    core.allowAsking(state)
    const report = core.report(state, this.live, '', sentMs)
    network.call<RoomAnswer>(
      reply => room.sync(report, doors, reply),
      reply => {
        if (this.#state !== state) return
        this.#isReporting = false
        if (reply) {
          core.applyReply(state, reply, agenda.nowMs)
          this.#roomAnsweredAtMs = Math.max(this.#roomAnsweredAtMs, sentMs)
          doors.checkInside()
        }
        const waiting = this.#waiting
        this.#waiting = []
        for (const go of waiting) go(reply !== null)
        this.#keepReporting()
      },
    )
  }

  /** An active door reports every second. Its alarm makes it report when places come free. */
  #keepReporting(): void {
    const { agenda } = this.#around
    if (!this.#ticks && this.#owesReport()) {
      this.#ticks = true
      agenda.at(agenda.nowMs + DOOR_REPORTS_EVERY_MS, () => {
        this.#ticks = false
        this.#reportIfOwed()
      })
    }
    this.#wake()
  }

  /** As in the Door object, the alarm only moves to an earlier time. */
  #wake(): void {
    const { agenda, counts } = this.#around
    const endMs = this.#sessions.store.nextEndMs()
    if (endMs === undefined) return
    const atMs = alarmAtMs(endMs, agenda.nowMs)
    if (this.#alarmAtMs <= atMs) return
    this.#alarmAtMs = atMs
    counts.rowsWritten++
    agenda.at(atMs, () => {
      if (this.#alarmAtMs !== atMs) return
      this.#alarmAtMs = Number.POSITIVE_INFINITY
      counts.objectRequests++
      this.#reportIfOwed()
    })
  }

  #reportIfOwed(): void {
    if (this.#owesReport() && !this.#isReporting) this.#report()
    else this.#keepReporting()
  }

  #owesReport(): boolean {
    return core.isActive(this.#state, this.live, this.#around.agenda.nowMs)
  }
}

function say(answer: RenewalAnswer): string {
  return JSON.stringify(answer.verdict === 'live' ? answer.grants : answer.verdict)
}
