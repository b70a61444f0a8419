/**
 * A crowd, many edges, some doors and one room in virtual time. The decisions are those of `src/core`, the messages those
 * that ship; only clocks, the network and storage are simulated, and both fail as told.
 */

import { bucketOf } from '../../src/core/arrivals.ts'
import * as doorHalf from '../../src/core/door.ts'
import * as edgeHalf from '../../src/core/edge.ts'
import type { ClaimAnswer, DoorReport, EdgeReply, EdgeReport } from '../../src/core/messages.ts'
import { nextPollMs, placeOf, refused, seen } from '../../src/core/place.ts'
import * as roomHalf from '../../src/core/room.ts'
import type { SessionRules } from '../../src/core/sessions.ts'
import { MAIN_LANE, type Ticket } from '../../src/core/ticket.ts'
import { Agenda } from './agenda.ts'
import { Checks } from './checks.ts'
import { Random } from './random.ts'
import { MemorySessions } from './sessions.ts'

export interface Scenario {
  readonly seed: number
  readonly visitors: number
  /** Visitors arrive evenly at random over this. */
  readonly arriveMs: number
  readonly ratePerMinute: number
  readonly totalActiveUsers: number
  readonly sessionMs: number
  /** A visitor browses this long on average, then leaves without a word. */
  readonly stayMs: number
  /** Share of visitors who close the tab while they wait. */
  readonly noShows: number
  /** Share of visitors who sleep through their call and come back within a few minutes. */
  readonly late: number
  readonly edges: number
  readonly doors: number
  readonly clockSkewMs: number
  readonly loss: number
  readonly duplicate: number
  readonly evictions: number
  /** Live changes by the operator, in order. */
  readonly changes: readonly { atMs: number; ratePerMinute?: number; totalActiveUsers?: number }[]
  readonly untilMs: number
}

const START_MS = 1_700_000_000_000
const CLAIM_WINDOW_MS = 5 * 60_000
const REENTRY_GRACE_MS = 2 * 60_000
/** A caller gives up on an unanswered call after this. */
const TIMEOUT_MS = 2_000
const TICK_MS = 1_000
/** A claim waits at its door for the room's answer at most this long. */
const ASK_WAIT_MS = 1_000

interface SimDoor {
  state: doorHalf.DoorState
  readonly sessions: MemorySessions
  epoch: number
  heardAtMs: number
  ticking: boolean
  inFlight: boolean
  waiting: (() => void)[]
}

interface SimEdge {
  readonly state: edgeHalf.EdgeState<never>
  readonly home: number
  readonly skewMs: number
  readonly confirmed: Set<string>
  syncing: boolean
  waiting: (() => void)[]
}

interface Visitor {
  ticket: Ticket | null
  readonly edge: number
  readonly arrivedMs: number
  /** Gives up after this many polls; Infinity for those who stay. */
  patience: number
  sleeps: boolean
  admittedMs: number
  leavesMs: number
  expiresMs: number
  shownLow: number
  polls: number
}

export class World {
  readonly scenario: Scenario
  readonly checks: Checks
  readonly agenda: Agenda
  readonly visitors: Visitor[]
  readonly startMs = START_MS
  objectCalls = 0
  syncs = 0
  polls = 0
  missed = 0
  readonly samples: {
    atMs: number
    arrived: number
    waiting: number
    active: number
    admitted: number
    standing: number
    showing: number
  }[] = []
  readonly #random: Random
  readonly #doors: SimDoor[]
  readonly #edges: SimEdge[]
  room: roomHalf.RoomState
  #rules: roomHalf.RoomRules
  readonly #sessionRules: SessionRules
  readonly #arrivals: Float64Array
  #arrived = 0

  constructor(scenario: Scenario) {
    this.scenario = scenario
    this.#random = new Random(scenario.seed)
    this.checks = new Checks(scenario)
    this.agenda = new Agenda(START_MS, scenario.visitors, visitor => this.#step(visitor))
    this.#rules = {
      ratePerMinute: scenario.ratePerMinute,
      totalActiveUsers: scenario.totalActiveUsers,
      claimWindowMs: CLAIM_WINDOW_MS,
    }
    this.#sessionRules = {
      sessionMs: scenario.sessionMs,
      renewal: true,
      sessionMaxMs: null,
      reentryGraceMs: REENTRY_GRACE_MS,
      claimWindowMs: CLAIM_WINDOW_MS,
    }
    this.room = roomHalf.newRoom(START_MS)
    this.#doors = Array.from({ length: scenario.doors }, (_, index) => this.#newDoor(index))
    this.#edges = Array.from({ length: scenario.edges }, (_, index) => ({
      state: edgeHalf.newEdge<never>(`i${index}`),
      home: index % scenario.doors,
      skewMs: this.#random.between(-scenario.clockSkewMs, scenario.clockSkewMs),
      confirmed: new Set<string>(),
      syncing: false,
      waiting: [],
    }))
    this.#arrivals = new Float64Array(scenario.visitors).map(() => this.#random.next() * scenario.arriveMs).sort()
    this.visitors = []
  }

  run(): void {
    const { scenario, agenda } = this
    for (const change of scenario.changes) agenda.at(START_MS + change.atMs, () => this.#change(change))
    for (let i = 0; i < scenario.evictions; i++) {
      agenda.at(START_MS + this.#random.next() * scenario.untilMs, () =>
        this.#evict(this.#random.below(scenario.doors)),
      )
    }
    const endMs = START_MS + scenario.untilMs
    for (let atMs = START_MS; atMs < endMs; atMs += 1_000) {
      this.#welcome(atMs + 1_000)
      agenda.runUntil(atMs + 1_000)
      this.#sample()
      if (this.#arrived === scenario.visitors && agenda.appointments === 0) break
    }
    this.checks.finish(this)
  }

  /** Hands out the appointments of everybody who arrives before `untilMs`. */
  #welcome(untilMs: number): void {
    for (; this.#arrived < this.scenario.visitors; this.#arrived++) {
      const atMs = START_MS + (this.#arrivals[this.#arrived] as number)
      if (atMs >= untilMs) return
      const random = this.#random
      const goes = random.chance(this.scenario.noShows)
      this.visitors.push({
        ticket: null,
        edge: random.below(this.scenario.edges),
        arrivedMs: atMs,
        patience: goes ? 1 + random.below(6) : Number.POSITIVE_INFINITY,
        sleeps: !goes && random.chance(this.scenario.late),
        admittedMs: 0,
        leavesMs: 0,
        expiresMs: 0,
        shownLow: Number.POSITIVE_INFINITY,
        polls: 0,
      })
      this.agenda.appoint(this.#arrived, atMs)
    }
  }

  #step(index: number): void {
    const visitor = this.visitors[index] as Visitor
    if (visitor.admittedMs > 0) this.#browse(index, visitor)
    else this.#withView(visitor, () => this.#ask(index, visitor))
  }

  /** One request of somebody who is not inside: first arrival, poll or claim. */
  #ask(index: number, visitor: Visitor): void {
    const edge = this.#edges[visitor.edge] as SimEdge
    const view = edge.state.view
    const nowMs = this.agenda.nowMs + edge.skewMs
    this.polls++
    visitor.polls++
    if (!view) return this.agenda.appoint(index, this.agenda.nowMs + 2_000)
    const newcomer = visitor.ticket === null
    let ticket = visitor.ticket ?? this.#mint(index, visitor.arrivedMs + edge.skewMs)
    let place = placeOf(ticket, view, CLAIM_WINDOW_MS, nowMs)
    if (place.state === 'missed') {
      this.missed++
      ticket = this.#mint(index, nowMs)
      visitor.shownLow = Number.POSITIVE_INFINITY
      place = placeOf(ticket, view, CLAIM_WINDOW_MS, nowMs)
    } else if (!newcomer) {
      const before = ticket
      ticket = seen(ticket, place, CLAIM_WINDOW_MS, nowMs)
      if (ticket.confirmed && !before.confirmed && !edge.confirmed.has(ticket.sid)) {
        edge.confirmed.add(ticket.sid)
        edge.state.tally.add(`line/${ticket.lane}/${bucketOf(ticket.key)}`)
      }
    }
    visitor.ticket = ticket
    if (place.state === 'waiting' && place.position !== null) {
      this.checks.shown(index, place.position, visitor.shownLow, place.wait?.likelyMs ?? null, this.agenda.nowMs)
      visitor.shownLow = place.position
    }
    if (--visitor.patience < 0) return
    if (place.state === 'called') {
      if (visitor.sleeps) {
        visitor.sleeps = false
        return this.agenda.appoint(index, this.agenda.nowMs + this.#random.between(10_000, 400_000))
      }
      return this.#claim(index, visitor, ticket, view)
    }
    this.agenda.appoint(index, this.agenda.nowMs + nextPollMs(ticket, place, view, nowMs, this.#random.next()))
  }

  #claim(index: number, visitor: Visitor, ticket: Ticket, view: NonNullable<edgeHalf.EdgeState<never>['view']>): void {
    this.objectCalls++
    const door = this.#doors[Number(ticket.sid.slice(1, ticket.sid.indexOf('.')))] as SimDoor
    const again = () => this.agenda.appoint(index, this.agenda.nowMs + 2_000 * this.#random.between(0.8, 1.2))
    this.#call<ClaimAnswer>(
      reply => this.#atDoor(door, ticket, reply),
      answer => {
        if (visitor.admittedMs > 0) return
        if (answer?.verdict === 'admitted') {
          visitor.admittedMs = this.agenda.nowMs
          visitor.leavesMs = this.agenda.nowMs + this.scenario.stayMs * this.#random.between(0.5, 1.5)
          visitor.expiresMs = answer.expiresMs
          this.agenda.appoint(
            index,
            this.agenda.nowMs + Math.min(this.scenario.stayMs / 2, 20_000) * this.#random.next(),
          )
          return
        }
        if (answer?.verdict === 'none') {
          visitor.ticket = refused(ticket, view, CLAIM_WINDOW_MS, this.agenda.nowMs)
        }
        again()
      },
    )
  }

  #atDoor(door: SimDoor, ticket: Ticket, reply: (answer: ClaimAnswer) => void): void {
    const deadlineMs = this.agenda.nowMs + ASK_WAIT_MS
    const decide = (attempt: doorHalf.Attempt): void => {
      const { state } = door
      const nowMs = this.agenda.nowMs
      const before = state.spent
      const decision = doorHalf.claim(state, door.sessions, this.#sessionRules, ticket, attempt, nowMs)
      if (state.spent > before) this.checks.admitted(ticket.sid, ticket.key, nowMs)
      this.#keepTicking(door)
      if (decision.verdict !== 'ask') return reply(decision)
      let decided = false
      const again = (next: doorHalf.Attempt) => {
        if (decided || door.state !== state) return
        decided = true
        decide(next)
      }
      if (!door.inFlight) this.#syncDoor(door)
      door.waiting.push(() => again(this.agenda.nowMs < deadlineMs ? 'waiting' : 'last'))
      this.agenda.at(deadlineMs, () => again('last'))
    }
    decide('new')
  }

  /** A page view every few seconds until the visitor leaves; the session then ends by itself. */
  #browse(index: number, visitor: Visitor): void {
    const nowMs = this.agenda.nowMs
    if (nowMs >= visitor.leavesMs) return
    const ticket = visitor.ticket as Ticket
    const door = this.#doors[Number(ticket.sid.slice(1, ticket.sid.indexOf('.')))] as SimDoor
    this.objectCalls++
    const answer = doorHalf.touch(door.sessions, this.#sessionRules, { sid: ticket.sid, protectMs: 0 }, nowMs)
    if (answer.verdict === 'gone') {
      this.checks.lostSession(index, visitor.expiresMs, nowMs)
      return
    }
    visitor.expiresMs = answer.expiresMs
    this.agenda.appoint(index, nowMs + this.#random.between(5_000, 25_000))
  }

  #mint(index: number, nowMs: number): Ticket {
    const door = this.#random.below(this.scenario.doors)
    return {
      room: 'room',
      sid: `d${door}.${index}.${Math.floor(nowMs)}`,
      key: nowMs,
      lane: MAIN_LANE,
      confirmed: false,
      low: null,
      byMs: null,
      generation: this.room.generation,
      issuedMs: nowMs,
    }
  }

  #withView(visitor: Visitor, then: () => void): void {
    const edge = this.#edges[visitor.edge] as SimEdge
    const nowMs = this.agenda.nowMs
    if (edgeHalf.wantsRenewal(edge.state, nowMs) && !edge.syncing) this.#syncEdge(edge)
    if (edgeHalf.isCurrent(edge.state, nowMs)) return then()
    edge.waiting.push(then)
  }

  #syncEdge(edge: SimEdge): void {
    edge.syncing = true
    this.syncs++
    const sentMs = this.agenda.nowMs
    const report: EdgeReport = edgeHalf.edgeReport(edge.state)
    const door = this.#doors[edge.home] as SimDoor
    this.#call<EdgeReply<never>>(
      reply => {
        doorHalf.applyEdgeReport(door.state, report)
        this.#keepTicking(door)
        const answer = () =>
          door.state.view && reply({ seq: report.seq, view: door.state.view, version: '', silentMs: 0 })
        if (this.agenda.nowMs - door.heardAtMs <= edgeHalf.VIEW_FOR_MS && door.state.view) return answer()
        door.waiting.push(answer)
        if (!door.inFlight) this.#syncDoor(door)
      },
      reply => {
        if (reply) edgeHalf.applyEdgeReply(edge.state, reply, sentMs)
        edge.syncing = false
        const waiting = edge.waiting
        edge.waiting = []
        for (const go of waiting) go()
      },
    )
  }

  #syncDoor(door: SimDoor): void {
    const sentMs = this.agenda.nowMs
    const { state } = door
    this.syncs++
    door.inFlight = true
    doorHalf.allowAsking(state)
    const report = doorHalf.report(state, door.sessions.live(sentMs), '', sentMs)
    this.#call<{ epoch: number; seq: number; granted: number; view: NonNullable<typeof state.view> }>(
      reply => this.#atRoom(report, reply),
      reply => {
        if (door.state !== state) return
        door.inFlight = false
        if (reply) {
          doorHalf.applyReply(state, reply, this.agenda.nowMs)
          door.heardAtMs = Math.max(door.heardAtMs, sentMs)
          this.checks.granted(this)
        }
        const waiting = door.waiting
        door.waiting = []
        for (const go of waiting) go()
        this.#keepTicking(door)
      },
    )
  }

  #atRoom(
    report: DoorReport,
    reply: (answer: {
      epoch: number
      seq: number
      granted: number
      view: NonNullable<roomHalf.RoomState['view']>
    }) => void,
  ): void {
    const outcome = roomHalf.sync(this.room, report, this.#rules, this.agenda.nowMs)
    this.checks.granted(this)
    if (outcome.kind === 'stale' || !this.room.view) return
    reply({ epoch: report.epoch, seq: report.seq, granted: outcome.granted, view: this.room.view })
    if (outcome.kind === 'applied')
      for (const name of outcome.poke) this.#poke(this.#doors[Number(name.slice(1))] as SimDoor)
  }

  #poke(door: SimDoor): void {
    if (!door.inFlight) this.#syncDoor(door)
  }

  /** While a door has something to say, it says it every second; its alarm says when places come free. */
  #keepTicking(door: SimDoor): void {
    if (door.ticking) return
    const nowMs = this.agenda.nowMs
    const active = doorHalf.isActive(door.state, door.sessions.live(nowMs), nowMs)
    const endMs = door.sessions.nextEndMs()
    if (!active && endMs === undefined) return
    door.ticking = true
    const atMs = active ? nowMs + TICK_MS : Math.max(nowMs + TICK_MS, Math.ceil((endMs as number) / 1_000) * 1_000)
    this.agenda.at(atMs, () => {
      door.ticking = false
      if (door.inFlight) return
      if (doorHalf.isActive(door.state, door.sessions.live(this.agenda.nowMs), this.agenda.nowMs)) this.#syncDoor(door)
      else this.#keepTicking(door)
    })
  }

  /** A call over the network: it may be lost on either way, come twice, or late. `done` hears at most once. */
  #call<Reply>(serve: (reply: (answer: Reply) => void) => void, done: (answer: Reply | null) => void): void {
    const { scenario } = this
    const random = this.#random
    let open = true
    const finish = (answer: Reply | null) => {
      if (!open) return
      open = false
      done(answer)
    }
    const delay = () => (random.chance(scenario.loss) ? random.between(1_000, 8_000) : random.between(5, 60))
    const copies = random.chance(scenario.duplicate) ? 2 : 1
    for (let copy = 0; copy < copies; copy++) {
      if (random.chance(scenario.loss)) continue
      this.agenda.at(this.agenda.nowMs + delay(), () =>
        serve(answer => {
          if (!random.chance(scenario.loss)) this.agenda.at(this.agenda.nowMs + delay(), () => finish(answer))
        }),
      )
    }
    this.agenda.at(this.agenda.nowMs + TIMEOUT_MS, () => finish(null))
  }

  #change(change: { ratePerMinute?: number; totalActiveUsers?: number }): void {
    roomHalf.tick(this.room, this.#rules, this.agenda.nowMs)
    this.#rules = { ...this.#rules, ...change }
    this.checks.limits(this.#rules, this.agenda.nowMs)
    for (const door of this.#doors) this.#poke(door)
  }

  /** The door's memory is gone; its epoch and its sessions are durable. */
  #evict(index: number): void {
    const door = this.#doors[index] as SimDoor
    door.epoch++
    door.state = doorHalf.newDoor(`d${index}`, door.epoch, this.agenda.nowMs)
    door.inFlight = false
    door.heardAtMs = Number.NEGATIVE_INFINITY
    // Whoever waited at it is refused by a broken connection: their caller's timeout answers.
    door.waiting = []
    this.#keepTicking(door)
  }

  #newDoor(index: number): SimDoor {
    return {
      state: doorHalf.newDoor(`d${index}`, 1, START_MS),
      sessions: new MemorySessions(),
      epoch: 1,
      heardAtMs: Number.NEGATIVE_INFINITY,
      ticking: false,
      inFlight: false,
      waiting: [],
    }
  }

  #sample(): void {
    this.samples.push({
      atMs: this.agenda.nowMs - START_MS,
      arrived: this.#arrived,
      waiting: roomHalf.waitingTotal(this.room),
      active: this.live(),
      admitted: this.checks.admissions,
      standing: roomHalf.standing(this.room, this.agenda.nowMs),
      showing: this.room.lines.get(MAIN_LANE)?.state.control.shown ?? 0,
    })
  }

  /** Sessions that take a place, as their doors know it. */
  live(): number {
    return this.#doors.reduce((sum, door) => sum + door.sessions.live(this.agenda.nowMs), 0)
  }

  get rowsWritten(): number {
    return this.#doors.reduce((sum, door) => sum + door.sessions.rowsWritten, 0)
  }

  /** Permits that doors could spend right now. */
  usable(): number {
    return this.#doors.reduce((sum, door) => sum + doorHalf.usable(door.state), 0)
  }
}
