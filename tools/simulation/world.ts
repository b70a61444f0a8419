/**
 * A crowd, many edges, some doors and one room in virtual time. The decisions are those of `src/core`, the messages those
 * that ship; only clocks, the network and storage are simulated, and all of them fail as told.
 */

import { bucketOf } from '../../src/core/arrivals.ts'
import { settledKey } from '../../src/core/batches.ts'
import * as doorHalf from '../../src/core/door.ts'
import * as edgeHalf from '../../src/core/edge.ts'
import { commit } from '../../src/core/event-draws.ts'
import { callableKey, type ScheduledEvent } from '../../src/core/events.ts'
import { type Quota, quotaOf } from '../../src/core/gcra.ts'
import { Ledger } from '../../src/core/ledger.ts'
import { type Line, waiting } from '../../src/core/line.ts'
import type {
  Claim,
  ClaimAnswer,
  DoorReport,
  EdgeReply,
  EdgeReport,
  Touch,
  TouchAnswer,
  View,
} from '../../src/core/messages.ts'
import { keyAgain, nextPollMs, placeOf, refused, seen } from '../../src/core/place.ts'
import * as roomHalf from '../../src/core/room.ts'
import { leaseMs, type SessionRules } from '../../src/core/sessions.ts'
import { doorOf, type Ticket } from '../../src/core/ticket.ts'
import { Agenda } from './agenda.ts'
import { Checks } from './checks.ts'
import { Crowd, sidOf, visitorOf } from './crowd.ts'
import { MemoryDebts } from './debts.ts'
import { Estimates } from './estimates.ts'
import type { Events } from './events.ts'
import { Lots } from './lots.ts'
import { Network } from './network.ts'
import { Owners } from './owners.ts'
import type { Usage } from './prices.ts'
import { Random } from './random.ts'
import { type Outcome, POLICY, Requests } from './requests.ts'
import {
  type Change,
  CLAIM_WINDOW_MS,
  type Limit,
  REENTRY_GRACE_MS,
  type Scenario,
  type SimulatedLane,
  START_MS,
} from './scenario.ts'
import { MemorySessions } from './sessions.ts'
import { type Sample, useOf } from './use.ts'

export type { Scenario } from './scenario.ts'

const TICK_MS = 1_000
/** A claim waits at its door for the room's answer at most this long. */
const ASK_WAIT_MS = 1_000
/** Longer than any call takes. */
const QUIET_MS = 4_000
/** Share of a visitor's requests that another isolate answers than the one before. */
const ROAMING = 0.1
/** A robot without cookies asks about so often, and so many times on average. */
const ROBOT_EVERY_MS = 5_000
const ROBOT_REQUESTS = 20
/** Of a page under a limit. */
const PAGE_REQUESTS_MAX = 60
const PAGE_TAKES_MS = 1_500
const NEARLY_FULL = 0.9

interface SimDoor {
  state: doorHalf.DoorState
  readonly sessions: MemorySessions
  readonly debts: MemoryDebts
  ledger: Ledger
  epoch: number
  heardAtMs: number
  ticking: boolean
  alarmAtMs: number
  inFlight: boolean
  waiting: (() => void)[]
}

interface SimEdge {
  readonly state: edgeHalf.EdgeState<never>
  readonly home: number
  readonly skewMs: number
  /** Null where sessions have no limit. */
  requests: Requests | null
  syncing: boolean
  /** Visitors whose request waits for a current view. */
  waiting: number[]
}

interface RoomAnswer {
  readonly epoch: number
  readonly seq: number
  readonly granted: number
  readonly lanes?: Readonly<Record<string, number>>
  readonly view: View
}

export class World {
  readonly scenario: Scenario
  readonly checks: Checks
  readonly agenda: Agenda
  readonly crowd: Crowd
  readonly estimates: Estimates
  readonly startMs = START_MS
  readonly owners: Owners
  /** When each visitor arrives, in order: a ticket each. */
  readonly arrivedMs: Float64Array
  readonly samples: Sample[] = []
  /** Calls that an edge made for a visitor: claims and touches. */
  objectCalls = 0
  polls = 0
  missed = 0
  robotRequests = 0
  robotsAdmitted = 0
  room: roomHalf.RoomState
  readonly #events: Events | null
  readonly #random: Random
  /** Null where places are given by arrival. */
  readonly #lots: Lots | null
  readonly #network: Network
  readonly #doors: SimDoor[]
  readonly #edges: SimEdge[]
  #rules: roomHalf.RoomRules
  readonly #sessionRules: SessionRules
  #quota: Quota | undefined
  readonly #admittedIn = new Map<string, number>()
  #arrived = 0
  #confirmed = 0
  #pageViews = 0
  #objectRequests = 0
  #otherRowsWritten = 0

  constructor(scenario: Scenario, events: Events | null = null) {
    const random = new Random(scenario.seed)
    this.scenario = scenario
    this.#events = events
    this.#random = random
    this.checks = new Checks(scenario)
    this.#rules = {
      ratePerMinute: scenario.ratePerMinute,
      totalActiveUsers: scenario.totalActiveUsers,
      claimWindowMs: CLAIM_WINDOW_MS,
      lanes: scenario.lanes ?? [],
      shuffleMs: (scenario.drawAtMs === undefined ? scenario.shuffleMs : null) ?? null,
      event: eventOf(scenario),
    }
    this.#sessionRules = {
      sessionMs: scenario.sessionMs,
      renewal: true,
      sessionMaxMs: null,
      reentryGraceMs: REENTRY_GRACE_MS,
      claimWindowMs: CLAIM_WINDOW_MS,
    }
    this.room = roomHalf.newRoom(START_MS)
    if (this.#rules.event) commit(this.room.events, [this.#rules.event], () => `seed ${scenario.seed}`, START_MS)
    this.#doors = Array.from({ length: scenario.doors }, (_, index) => newDoor(index))
    this.#edges = Array.from({ length: scenario.edges }, (_, index) => ({
      state: edgeHalf.newEdge<never>(`i${index}`),
      home: index % scenario.doors,
      skewMs: random.between(-scenario.clockSkewMs, scenario.clockSkewMs),
      requests: null,
      syncing: false,
      waiting: [],
    }))
    const arrivals =
      scenario.arrivalsMs ?? new Float64Array(scenario.visitors).map(() => random.next() * scenario.arriveMs)
    this.owners = new Owners(arrivals.map(afterMs => START_MS + afterMs).sort(), scenario, random)
    this.arrivedMs = this.owners.takenMs
    const tickets = this.arrivedMs.length
    this.agenda = new Agenda(
      START_MS,
      tickets,
      visitor => this.#step(visitor),
      visitor => this.crowd.fetch(visitor) + this.estimates.fetch(visitor, this.agenda.nowMs),
    )
    this.#network = new Network(scenario, this.agenda, random)
    if (scenario.limit) this.#limit(scenario.limit)
    this.#lots = scenario.shuffleMs || scenario.drawAtMs !== undefined ? new Lots(scenario.seed, tickets) : null
    this.crowd = new Crowd(
      tickets,
      this.room.generation,
      (scenario.lanes ?? []).map(({ name }) => name),
      this.#lots,
    )
    this.estimates = new Estimates(tickets, START_MS)
  }

  /** Plays it all, or up to the second in which the named guarantee is broken. */
  run(untilBroken: string | null = null): void {
    const { scenario, agenda } = this
    for (const change of scenario.changes) agenda.at(START_MS + change.atMs, () => this.#change(change))
    if (scenario.drawAtMs !== undefined) agenda.at(START_MS + scenario.drawAtMs, () => this.#startEvent())
    const busyMs = this.#busyMs()
    for (let i = 0; i < scenario.evictions; i++) {
      const atMs = START_MS + this.#random.next() * busyMs
      // One more than there are doors: the last is the room.
      const whom = this.#random.below(scenario.doors + 1)
      agenda.at(atMs, () => (whom === scenario.doors ? this.#evictRoom() : this.#evict(whom)))
    }
    const endMs = START_MS + scenario.untilMs
    // Whoever has no appointment may have a call under way, or an old ticket to come again with.
    const quietForMs = QUIET_MS + (scenario.duplicate > 0 ? 2 * scenario.sessionMs : 0)
    let busyAtMs = START_MS
    for (let atMs = START_MS; atMs < endMs && atMs - busyAtMs <= quietForMs; atMs += 1_000) {
      this.#welcome(atMs + 1_000)
      agenda.runUntil(atMs + 1_000)
      this.#sample()
      if (this.#arrived < this.crowd.size || agenda.appointments > 0) busyAtMs = atMs
      if (untilBroken && this.checks.violations.some(({ invariant }) => invariant === untilBroken)) break
    }
    this.#checkInside()
    this.checks.finish(useOf(this.samples), this.crowd, agenda.nowMs)
  }

  /** Calls that isolates made about the requests of sessions. */
  get limitCalls(): number {
    return this.#edges.reduce((sum, { requests }) => sum + (requests?.calls ?? 0), 0)
  }

  get ratePerMinute(): number {
    return this.#rules.ratePerMinute
  }

  /** What Cloudflare would bill. Objects that speak every second stay awake for the whole run. */
  get usage(): Usage {
    const sum = (of: (door: SimDoor) => number) => this.#doors.reduce((total, door) => total + of(door), 0)
    return {
      workerRequests: this.polls + this.#pageViews,
      objectRequests: this.#objectRequests,
      objectSeconds: ((this.#doors.length + 1) * (this.agenda.nowMs - START_MS)) / 1_000,
      rowsRead: sum(door => door.sessions.rowsRead),
      rowsWritten:
        this.#otherRowsWritten + sum(door => door.sessions.rowsWritten + door.debts.rowsWritten + door.epoch),
    }
  }

  /** Sessions that take a place, as their doors know it. */
  live(): number {
    let live = 0
    for (const door of this.#doors) live += door.sessions.live(this.agenda.nowMs)
    return live
  }

  /** How long there is work for everybody who comes. */
  #busyMs(): number {
    const { visitors, untilMs } = this.scenario
    const rate = Math.max(1, ...this.scenario.changes.map(change => change.ratePerMinute ?? 0), this.ratePerMinute)
    return Math.min(untilMs, (this.arrivedMs.at(-1) ?? START_MS) - START_MS + (visitors / rate) * 60_000)
  }

  /** Hands out the appointments of everybody who arrives before `untilMs`. */
  #welcome(untilMs: number): void {
    const { noShows, late, edges, robots = 0 } = this.scenario
    for (; this.#arrived < this.crowd.size; this.#arrived++) {
      const atMs = this.arrivedMs[this.#arrived] as number
      if (atMs >= untilMs) return
      const random = this.#random
      const goes = random.chance(noShows)
      const polls = goes ? 1 + random.below(6) : Number.POSITIVE_INFINITY
      this.crowd.arrive(this.#arrived, random.below(edges), polls, !goes && random.chance(late))
      if (random.chance(robots)) this.#sendRobot(this.#arrived)
      else if (this.scenario.lanes) this.#invite(this.#arrived, this.scenario.lanes)
      this.agenda.appoint(this.#arrived, atMs)
    }
  }

  #sendRobot(visitor: number): void {
    this.crowd.arrive(visitor, this.crowd.edge(visitor), 1 + this.#random.below(2 * ROBOT_REQUESTS), false)
    this.crowd.becomesRobot(visitor)
  }

  #invite(visitor: number, lanes: readonly SimulatedLane[]): void {
    let drawn = this.#random.next()
    for (const [index, { crowd }] of lanes.entries()) {
      if (drawn < crowd) return this.crowd.invite(visitor, index + 1)
      drawn -= crowd
    }
  }

  #step(visitor: number): void {
    if (this.crowd.isInside(visitor)) return this.#browse(visitor)
    const edge = this.#edges[this.#edgeOf(visitor)] as SimEdge
    const nowMs = this.agenda.nowMs
    if (!edge.syncing && edgeHalf.wantsRenewal(edge.state, nowMs)) this.#syncEdge(edge)
    if (edgeHalf.isCurrent(edge.state, nowMs)) this.#ask(visitor, edge)
    else edge.waiting.push(visitor)
  }

  #edgeOf(visitor: number): number {
    return this.#random.chance(ROAMING) ? this.#random.below(this.#edges.length) : this.crowd.edge(visitor)
  }

  /** One request of somebody who is not inside: first arrival, poll or claim. */
  #ask(visitor: number, edge: SimEdge): void {
    const { crowd, agenda } = this
    const { view } = edge.state
    const nowMs = agenda.nowMs + edge.skewMs
    this.polls++
    if (!view) return agenda.appoint(visitor, agenda.nowMs + 2_000)
    if (crowd.isRobot(visitor)) return this.#askWithoutCookie(visitor, edge, view, nowMs)
    if (this.owners.isIdle(visitor)) return
    const lastSeenMs = crowd.asks(visitor, agenda.nowMs)
    if (this.#dropsTicket(visitor, nowMs)) this.#takePlace(visitor, nowMs, view)
    const isNew = !crowd.hasTicket(visitor)
    if (isNew) this.#takePlace(visitor, (this.arrivedMs[visitor] as number) + edge.skewMs, view)
    let ticket = crowd.ticket(visitor)
    if (this.#lots && view.events && !isNew) ticket = this.#lots.withPlace(ticket, crowd.sid(visitor), view.events)
    let place = placeOf(ticket, view, CLAIM_WINDOW_MS, nowMs)
    if (place.state === 'missed') {
      this.#events?.note(agenda.nowMs, visitor, `visitor ${visitor} missed its turn, key ${ticket.key - START_MS} ms`)
      // A claim window that somebody slept through may end while a claim is on its way.
      if (!crowd.isLate(visitor)) this.checks.missed(visitor, lastSeenMs, agenda.nowMs)
      this.missed++
      crowd.misses(visitor)
      this.#takePlace(visitor, nowMs, view)
      ticket = crowd.ticket(visitor)
      place = placeOf(ticket, view, CLAIM_WINDOW_MS, nowMs)
    } else if (!isNew) {
      const next = seen(ticket, place, CLAIM_WINDOW_MS, nowMs)
      if (next.confirmed && !ticket.confirmed) this.#confirm(edge, next)
      if (next !== ticket) crowd.keep(visitor, next)
      ticket = next
    }
    if (place.state === 'waiting' && place.position !== null) {
      this.#show(visitor, place.position, place.wait?.likelyMs, view.slowed != null)
    }
    if (!crowd.staysAfterPoll(visitor)) return
    if (place.state !== 'called') {
      agenda.appoint(visitor, agenda.nowMs + nextPollMs(ticket, place, view, nowMs, this.#random.next()))
    } else if (crowd.fallsAsleep(visitor)) {
      agenda.appoint(visitor, agenda.nowMs + this.#random.between(10_000, 400_000))
    } else this.#claim(visitor, edge, view)
  }

  /** Takes a place with every request, and never comes back to it. In an open room it is let in all the same. */
  #askWithoutCookie(visitor: number, edge: SimEdge, view: View, nowMs: number): void {
    this.robotRequests++
    this.#takePlace(visitor, nowMs, view)
    if (placeOf(this.crowd.ticket(visitor), view, CLAIM_WINDOW_MS, nowMs).state === 'called')
      this.#claim(visitor, edge, view)
    else this.#appointRobot(visitor)
  }

  #appointRobot(visitor: number): void {
    if (!this.crowd.staysAfterPoll(visitor)) return
    this.agenda.appoint(visitor, this.agenda.nowMs + ROBOT_EVERY_MS * this.#random.between(0.5, 1.5))
  }

  /** Once, when it comes back for the first time, and while its batch is open: another draw costs it nothing. */
  #dropsTicket(visitor: number, nowMs: number): boolean {
    const { crowd, owners } = this
    if (!owners.differ || owners.habitOf(visitor) !== 'drops' || !crowd.hasTicket(visitor)) return false
    const { draw } = crowd.ticket(visitor)
    return (!draw || nowMs < draw.untilMs) && crowd.drops(visitor)
  }

  #show(visitor: number, position: number, waitMs: number | undefined, mayRise: boolean): void {
    const { nowMs } = this.agenda
    const before = this.crowd.shows(visitor, position)
    this.#events?.note(nowMs, visitor, `visitor ${visitor} is shown position ${position}`)
    this.checks.shown(visitor, position, before, nowMs)
    if (this.#lots) this.checks.shownEarly(visitor, this.#lots.secretUntilMs(visitor), nowMs)
    if (waitMs === undefined) return
    const waitBeforeMs = this.crowd.showsWait(visitor, waitMs)
    if (!mayRise && waitBeforeMs > 0) this.checks.waitRose(visitor, this.estimates.rise(waitBeforeMs, waitMs), nowMs)
    this.estimates.shown(visitor, waitMs, this.#random.next(), nowMs)
  }

  #confirm(edge: SimEdge, ticket: Ticket): void {
    if (ticket.entry) return edge.state.tally.add(`entry/${ticket.entry.draw}`)
    this.#confirmed++
    edge.state.tally.add(`line/${ticket.lane}/${bucketOf(ticket.key)}`)
  }

  #takePlace(visitor: number, atMs: number, view: View): void {
    const door = this.#random.below(this.scenario.doors)
    const madeMs = Math.floor(atMs - START_MS)
    const lots = this.#lots
    const key = lots ? lots.take(visitor, sidOf(door, visitor, madeMs), this.crowd.lane(visitor), view, atMs) : atMs
    this.crowd.take(visitor, door, madeMs, key, atMs)
  }

  #claim(visitor: number, edge: SimEdge, view: View): void {
    const ticket = this.crowd.copyOfTicket(visitor)
    const door = this.#doorOf(ticket.sid)
    const asks = edge.requests?.claimAsks(ticket.sid)
    const claim: Claim = asks ? { ...ticket, asks } : ticket
    this.objectCalls++
    this.#network.call<ClaimAnswer>(
      reply => this.#atDoor(door, visitor, claim, reply),
      answer => {
        if (answer && answer.verdict !== 'admitted') edge.requests?.forget(ticket.sid)
        this.#hear(visitor, ticket, view, answer)
      },
    )
  }

  #hear(visitor: number, ticket: Ticket, view: View, answer: ClaimAnswer | null): void {
    const { crowd, agenda, scenario } = this
    const { nowMs } = agenda
    if (crowd.isRobot(visitor)) {
      if (answer?.verdict === 'admitted') this.robotsAdmitted++
      return this.#appointRobot(visitor)
    }
    if (answer?.verdict === 'admitted') {
      if (!this.owners.enters(visitor)) return
      const leavesMs = nowMs + scenario.stayMs * this.#random.between(0.5, 1.5)
      crowd.enters(visitor, leavesMs, answer.expiresMs, nowMs)
      return agenda.appoint(visitor, nowMs + Math.min(scenario.stayMs / 2, 20_000) * this.#random.next())
    }
    if (answer?.verdict === 'none') crowd.keep(visitor, refused(ticket, view, CLAIM_WINDOW_MS, nowMs))
    if (answer?.verdict === 'ended') {
      // Admitted, and the answer got lost for as long as a first session lasts.
      const { again } = answer
      if (again) {
        const key = keyAgain(again.key, again.lane, view)
        this.#lots?.clear(visitor)
        crowd.takeAgain(visitor, again.sid, key, nowMs + CLAIM_WINDOW_MS, nowMs)
      } else this.#takePlace(visitor, nowMs, view)
    }
    agenda.appoint(visitor, nowMs + doorHalf.RETRY_AFTER_MS * this.#random.between(0.8, 1.2))
  }

  #atDoor(door: SimDoor, visitor: number, ticket: Claim, reply: (answer: ClaimAnswer) => void): void {
    this.#objectRequests++
    const deadlineMs = this.agenda.nowMs + ASK_WAIT_MS
    const decide = (attempt: doorHalf.Attempt): void => {
      const { state } = door
      const { nowMs } = this.agenda
      const spentBefore = state.spent
      const decision = doorHalf.claim(state, door.sessions, this.#sessionRules, ticket, attempt, nowMs)
      const { name, spent, granted } = state
      this.#events?.note(
        nowMs,
        visitor,
        `door ${name}: ${ticket.sid} ${decision.verdict}, spent ${spent} of ${granted}`,
      )
      if (spent > spentBefore) {
        this.checks.admitted(visitor, ticket.sid, ticket.key, nowMs)
        this.#admittedIn.set(ticket.lane, (this.#admittedIn.get(ticket.lane) ?? 0) + 1)
        // The request that comes in with a claim passes when the door lets it.
        if (ticket.asks) this.checks.passed(visitor, ticket.sid, nowMs)
      }
      if (decision.verdict === 'admitted' && ticket.asks) {
        door.ledger.touch(ticket.sid, ticket.asks, this.#quotaOf, leaseMs(this.#sessionRules), nowMs)
      }
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
  #browse(visitor: number): void {
    const { crowd, agenda } = this
    const { nowMs } = agenda
    if (nowMs >= crowd.leavesMs(visitor)) return this.#leave(visitor)
    const sid = crowd.sid(visitor)
    if (this.scenario.limit) return this.#viewPage(visitor, sid, this.scenario.limit)
    const door = this.#doorOf(sid)
    this.objectCalls++
    this.#objectRequests++
    this.#pageViews++
    const answer = doorHalf.touch(door.sessions, this.#sessionRules, { sid, protectMs: 0 }, nowMs)
    if (answer.verdict === 'gone') {
      this.checks.lostSession(visitor, crowd.expiresMs(visitor), nowMs)
      return
    }
    crowd.renews(visitor, answer.expiresMs)
    agenda.appoint(visitor, nowMs + this.#random.between(5_000, 25_000))
  }

  #limit({ count, periodMs, burst }: Limit): void {
    this.#quota = quotaOf(count, periodMs, burst)
    for (const edge of this.#edges) {
      const { skewMs, state } = edge
      edge.requests = new Requests(
        this.#quota,
        { isolate: state.isolate, skewMs },
        this.agenda,
        this.#network,
        (touch, reply) => this.#touchAtDoor(touch, reply),
      )
    }
  }

  readonly #quotaOf = (policy: string) => (policy === POLICY ? this.#quota : undefined)

  #touchAtDoor(touch: Touch, reply: (answer: TouchAnswer) => void): void {
    const { nowMs } = this.agenda
    const door = this.#doorOf(touch.sid)
    const visitor = visitorOf(touch.sid)
    this.#objectRequests++
    const answer = doorHalf.touch(door.sessions, this.#sessionRules, touch, nowMs)
    if (answer.verdict === 'gone') {
      this.checks.lostSession(visitor, this.crowd.expiresMs(visitor), nowMs)
      return reply(answer)
    }
    this.crowd.renews(visitor, answer.expiresMs)
    const grants = door.ledger.touch(touch.sid, touch.asks ?? [], this.#quotaOf, answer.leaseMs, nowMs)
    this.#events?.note(
      nowMs,
      visitor,
      `door ${door.state.name}: ${touch.sid} asks ${say(touch.asks)}, gets ${say(grants)}`,
    )
    reply({ ...answer, grants })
  }

  /** A page is many requests at once, not all at one isolate. One visitor in five wants far more than the limit gives. */
  #viewPage(visitor: number, sid: string, { burst }: Limit): void {
    const random = this.#random
    const { nowMs } = this.agenda
    const most = Math.min(PAGE_REQUESTS_MAX, burst)
    const count = visitor % 5 === 0 ? 2 * most : 1 + random.below(most)
    this.#pageViews++
    for (let i = 0; i < count; i++) {
      const edge = this.#edges[this.#edgeOf(visitor)] as SimEdge
      this.agenda.at(nowMs + random.next() * PAGE_TAKES_MS, () =>
        edge.requests?.request(sid, outcome => this.#note(visitor, sid, outcome)),
      )
    }
    this.agenda.appoint(visitor, nowMs + random.between(5_000, 25_000))
  }

  #note(visitor: number, sid: string, outcome: Outcome): void {
    const { limit } = this.checks
    if (!limit) return
    if (outcome === 'allowed') this.checks.passed(visitor, sid, this.agenda.nowMs)
    else if (outcome === 'limited') limit.limited++
    else if (outcome === 'alone') limit.alone++
    else this.crowd.leaves(visitor, Math.min(this.crowd.leavesMs(visitor), this.agenda.nowMs))
  }

  /** Some come again with their old ticket, live or ended: it must not let them in a second time. */
  #leave(visitor: number): void {
    if (!this.#random.chance(this.scenario.duplicate)) return
    const ticket = this.crowd.copyOfTicket(visitor)
    const afterMs = this.#random.next() * 2 * this.scenario.sessionMs
    this.agenda.at(this.agenda.nowMs + afterMs, () => this.#atDoor(this.#doorOf(ticket.sid), visitor, ticket, () => {}))
  }

  #doorOf(sid: string): SimDoor {
    return this.#doors[Number(doorOf(sid).slice(1))] as SimDoor
  }

  #syncEdge(edge: SimEdge): void {
    edge.syncing = true
    const sentMs = this.agenda.nowMs
    const report: EdgeReport = edgeHalf.edgeReport(edge.state)
    const door = this.#doors[edge.home] as SimDoor
    this.#network.call<EdgeReply<never>>(
      reply => {
        this.#objectRequests++
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
        const { waiting } = edge
        edge.waiting = []
        for (const visitor of waiting) this.#ask(visitor, edge)
      },
    )
  }

  #syncDoor(door: SimDoor): void {
    const sentMs = this.agenda.nowMs
    const { state } = door
    door.inFlight = true
    doorHalf.allowAsking(state)
    const report = doorHalf.report(state, door.sessions.live(sentMs), '', sentMs)
    this.#network.call<RoomAnswer>(
      reply => this.#atRoom(report, reply),
      reply => {
        if (door.state !== state) return
        door.inFlight = false
        if (reply) {
          doorHalf.applyReply(state, reply, this.agenda.nowMs)
          door.heardAtMs = Math.max(door.heardAtMs, sentMs)
          this.#checkInside()
        }
        const { waiting } = door
        door.waiting = []
        for (const go of waiting) go()
        this.#keepTicking(door)
      },
    )
  }

  #atRoom(report: DoorReport, reply: (answer: RoomAnswer) => void): void {
    const { nowMs } = this.agenda
    this.#objectRequests++
    const outcome = roomHalf.sync(this.room, report, this.#rules, nowMs)
    this.#checkInside()
    const { view } = this.room
    if (outcome.kind === 'stale' || !view) return
    const { epoch, seq, door, spent, live } = report
    this.#events?.note(
      nowMs,
      null,
      `room: ${door}, life ${epoch}, spent ${spent}, ${live} live, granted ${outcome.granted}`,
    )
    const { granted, lanes } = outcome
    reply({ epoch, seq, granted, ...(lanes ? { lanes } : {}), view })
    if (outcome.kind !== 'applied') return
    this.checks.counted(this.#confirmed, this.room.totals.confirmed ?? 0, nowMs)
    this.#save(outcome.dirty)
    for (const name of outcome.poke) this.#poke(this.#doors[Number(name.slice(1))] as SimDoor)
  }

  /** What the Room object writes for a report: its facts, the door's account, and the histogram where it changed. */
  #save(dirty: ReadonlyMap<string, ReadonlySet<number>>): void {
    this.#otherRowsWritten += 2
    for (const chunks of dirty.values()) this.#otherRowsWritten += chunks.size
    for (const { arrivals, state } of this.room.lines.values()) {
      this.#otherRowsWritten += arrivals.forgetBefore(state.frontierKey).length
    }
  }

  #poke(door: SimDoor): void {
    this.#objectRequests++
    if (!door.inFlight) this.#syncDoor(door)
  }

  /** While a door has something to say, it says it every second; its alarm says when places come free. */
  #keepTicking(door: SimDoor): void {
    const { nowMs } = this.agenda
    if (!door.ticking && doorHalf.isActive(door.state, door.sessions.live(nowMs), nowMs)) {
      door.ticking = true
      this.agenda.at(nowMs + TICK_MS, () => {
        door.ticking = false
        this.#tellRoom(door)
      })
    }
    this.#wake(door)
  }

  /** Like the Door's: brought forward only, and in whole seconds. */
  #wake(door: SimDoor): void {
    const endMs = door.sessions.nextEndMs()
    if (endMs === undefined) return
    const atMs = Math.ceil(Math.max(endMs, this.agenda.nowMs) / TICK_MS) * TICK_MS
    if (door.alarmAtMs <= atMs) return
    door.alarmAtMs = atMs
    this.#otherRowsWritten++
    this.agenda.at(atMs, () => {
      if (door.alarmAtMs !== atMs) return
      door.alarmAtMs = Number.POSITIVE_INFINITY
      this.#objectRequests++
      this.#tellRoom(door)
    })
  }

  #tellRoom(door: SimDoor): void {
    const { nowMs } = this.agenda
    if (!door.inFlight && doorHalf.isActive(door.state, door.sessions.live(nowMs), nowMs)) this.#syncDoor(door)
    else this.#keepTicking(door)
  }

  /** Until the start newcomers wait for it, whatever the method. */
  #startEvent(): void {
    this.#rules = { ...this.#rules, shuffleMs: this.scenario.shuffleMs ?? null }
    this.#events?.note(this.agenda.nowMs, null, 'the event starts')
  }

  #change(change: Change): void {
    const { nowMs } = this.agenda
    roomHalf.tick(this.room, this.#rules, nowMs)
    this.#rules = { ...this.#rules, ...change }
    this.#events?.note(nowMs, null, `the operator sets ${JSON.stringify(change)}`)
    this.checks.limits(this.#rules, nowMs)
    for (const door of this.#doors) this.#poke(door)
  }

  /** The door's memory is gone; its epoch and its sessions are durable. */
  #evict(index: number): void {
    const door = this.#doors[index] as SimDoor
    door.epoch++
    door.state = doorHalf.newDoor(`d${index}`, door.epoch, this.agenda.nowMs)
    door.ledger = new Ledger(door.debts)
    this.checks.limit?.doorDies(`d${index}`, this.agenda.nowMs)
    door.inFlight = false
    door.heardAtMs = Number.NEGATIVE_INFINITY
    // Whoever waited at it is refused by a broken connection: their caller's timeout answers.
    door.waiting = []
    this.#events?.note(this.agenda.nowMs, null, `door d${index} is evicted`)
    this.#keepTicking(door)
  }

  /** The room is read back from what it has stored: the doors' wishes and the view are not. */
  #evictRoom(): void {
    const doors = [...this.room.doors].map(([name, door]) => [name, { ...door, demand: [] }] as const)
    this.room = { ...this.room, doors: new Map(doors), shown: new Map(), departedSinceTick: 0, view: null }
    this.#events?.note(this.agenda.nowMs, null, 'the room is evicted')
  }

  #checkInside(): void {
    this.checks.inside({ live: this.live(), out: this.#permitsOut() }, this.agenda.nowMs)
  }

  /** Permits that this life of each door holds, or will when the room's answer arrives. */
  #permitsOut(): number {
    let out = 0
    for (const { state } of this.#doors) {
      const account = this.room.doors.get(state.name)
      const granted = account?.epoch === state.epoch ? account.granted : 0
      out += Math.max(granted, state.granted) - state.spent - state.returned
    }
    return out
  }

  /** Those in line whose places are settled: before its draw nobody can be called, whatever permits there are. */
  #callable(): number {
    let people = 0
    for (const line of this.room.lines.values()) people += this.#callableIn(line)
    return people
  }

  #callableIn(line: Line): number {
    if (!this.#lots) return waiting(line)
    const { arrivals, state } = line
    const untilKey = callableKey(this.room.events, settledKey(this.room.draws, this.agenda.nowMs))
    return untilKey > state.frontierKey ? arrivals.after(state.frontierKey) - arrivals.after(untilKey) : 0
  }

  /** Only while the rate holds the line back: in a full room it is the leavers who give places. */
  #noteShares(): void {
    const { totalActiveUsers, ratePerMinute } = this.#rules
    const { nowMs } = this.agenda
    const { live, out } = roomHalf.sums(this.room)
    const isFull = live + out >= NEARLY_FULL * totalActiveUsers
    const peopleIn = (lane: string) => {
      const line = this.room.lines.get(lane)
      return line ? this.#callableIn(line) + roomHalf.standingIn(this.room, this.#rules, lane, nowMs) : 0
    }
    this.checks.shares?.note(
      TICK_MS,
      isFull ? 0 : ratePerMinute / 60,
      peopleIn,
      lane => this.#admittedIn.get(lane) ?? 0,
    )
  }

  #sample(): void {
    this.#noteShares()
    const { ratePerMinute, totalActiveUsers } = this.#rules
    const inLine = roomHalf.waitingTotal(this.room)
    this.samples.push({
      atMs: this.agenda.nowMs - START_MS,
      arrived: this.#arrived,
      waiting: inLine,
      callable: this.#lots ? this.#callable() : inLine,
      standing: roomHalf.standing(this.room, this.agenda.nowMs),
      active: this.live(),
      admitted: this.checks.admissions,
      ratePerMinute,
      totalActiveUsers,
    })
  }
}

/** Newcomers wait for its start from the beginning on. */
function eventOf({ drawAtMs, untilMs }: Scenario): ScheduledEvent | null {
  if (drawAtMs === undefined) return null
  const endMs = START_MS + drawAtMs + untilMs
  return { name: 'event', prequeueMs: START_MS, startMs: START_MS + drawAtMs, endMs, shuffles: true }
}

function say(what: unknown): string {
  return JSON.stringify(what)
}

function newDoor(index: number): SimDoor {
  const debts = new MemoryDebts()
  return {
    state: doorHalf.newDoor(`d${index}`, 1, START_MS),
    sessions: new MemorySessions(),
    debts,
    ledger: new Ledger(debts),
    epoch: 1,
    heardAtMs: Number.NEGATIVE_INFINITY,
    ticking: false,
    alarmAtMs: Number.POSITIVE_INFINITY,
    inFlight: false,
    waiting: [],
  }
}
