/**
 * The visitors outside: they take a place, poll when asked to, close the tab or sleep, and claim once called.
 * `nextStep` and `afterClaim` of the core decide each step, as they do at the edge. This file carries the steps out.
 */
import { afterClaim } from '../../src/core/place/after-claim.ts'
import { solved } from '../../src/core/place/challenge.ts'
import type { Wait } from '../../src/core/place/estimate.ts'
import { type Outsider, UNKNOWN_YET } from '../../src/core/place/outsider.ts'
import { nextStep, pollAfter } from '../../src/core/place/step.ts'
import type { ClaimStep, WaitStep } from '../../src/core/place/steps.ts'
import { counterOf, goneCounterOf } from '../../src/core/place/tickets.ts'
import type { ClaimAnswer } from '../../src/core/protocol/messages.ts'
import { doorOf, inGeneration, MAIN_LANE, type Ticket } from '../../src/core/ticket.ts'
import type { Doors } from './doors.ts'
import type { Edge } from './edges.ts'
import { keepEstimate, keepRange } from './estimates.ts'
import { Lots } from './lots.ts'
import { Networks } from './networks.ts'
import type { Room } from './room.ts'
import type { Surroundings } from './surroundings.ts'
import type { Visitor } from './visitor.ts'

/** The mean time between two requests of a robot without cookies. */
const ROBOT_EVERY_MS = 5_000
/** Some visitors sleep when they are called. They sleep for a time in this range. */
const SLEEP_MS = { least: 10_000, most: 400_000 }

/** One request at an edge: the first arrival, a poll, or a claim. */
interface Request {
  readonly visitor: Visitor
  readonly edge: Edge
  /** The time at which the request came, by the clock of the edge. */
  readonly nowMs: number
  /** The time of the visitor's previous request; 0 if this is the first one. */
  readonly lastSeenMs: number
  /** False if the visitor then closes the tab. */
  readonly stays: boolean
}

export class InLine {
  readonly #around: Surroundings
  readonly #room: Room
  readonly #doors: Doors
  readonly #lots: Lots
  readonly #networks: Networks

  constructor(around: Surroundings, room: Room, doors: Doors) {
    this.#around = around
    this.#room = room
    this.#doors = doors
    this.#lots = new Lots(around.scenario.seed)
    this.#networks = new Networks(around.scenario)
  }

  ask(visitor: Visitor, edge: Edge, askedMs: number): void {
    const { agenda, counts } = this.#around
    const nowMs = askedMs + edge.skewMs
    counts.polls++
    if (visitor.habit === 'several' && visitor.person.isIn) return
    const request = { visitor, edge, nowMs, lastSeenMs: visitor.seenMs, stays: visitor.staysAfterPoll() }
    visitor.seenMs = agenda.nowMs
    if (visitor.isRobot) counts.robotRequests++
    if (this.#room.isSuspended) {
      visitor.passedMs = agenda.nowMs
      return
    }
    const keepsTicket = !visitor.isRobot && !this.#dropsTicket(visitor, nowMs)
    this.#goOn(request, keepsTicket ? this.#held(request) : null, outsider(visitor))
  }

  #held({ visitor, edge, nowMs }: Request): Ticket | null {
    const { snapshot } = edge.state
    const held = visitor.ticket && snapshot ? inGeneration(visitor.ticket, snapshot.generation) : visitor.ticket
    // A page has solved the challenge before its first poll.
    const own = held?.challenge?.state === 'set' && !visitor.isScript ? solved(held) : held
    return own && snapshot ? this.#lots.withPlace(own, snapshot, nowMs) : own
  }

  /** Decides and carries out the steps of one request, until it ends. */
  #goOn(request: Request, from: Ticket | null, as: Outsider): void {
    const { edge, nowMs } = request
    let ticket = from
    let visitor = as
    for (;;) {
      const { snapshot } = edge.state
      // Only in an open room does it matter whether a door has permits.
      const isDoorEmpty = Boolean(snapshot?.open) && ticket !== null && edge.emptyDoors.has(doorOf(ticket.sid))
      const room = { rules: this.#room.stepRules, snapshot, hasFailed: false, isDoorEmpty }
      const step = nextStep(ticket, visitor, room, nowMs)
      switch (step.kind) {
        case 'issue':
          if (step.why === 'missed') this.#noteMissed(request)
          if (step.why === 'changed-lane' && ticket) this.#giveUp(edge, ticket)
          ticket = this.#issue(request, step.lane)
          visitor = { ...visitor, issued: step.why }
          break
        case 'charge-network':
          visitor = { ...visitor, delayMs: 0 }
          break
        case 'charge-unsolved':
          visitor = { ...visitor, unsolvedDelayMs: this.#networks.unsolvedDelayMs(request.visitor, edge, nowMs) }
          break
        case 'wait':
          return this.#wait(request, step)
        case 'claim':
          return this.#claim(request, step, visitor)
        case 'reject':
        case 'admit-locally':
          throw new Error(`a simulated room has no step ${step.kind}`)
      }
    }
  }

  #wait(request: Request, step: WaitStep): void {
    const { agenda, random } = this.#around
    const { visitor, edge, nowMs, stays } = request
    const { ticket, place, snapshot } = step
    if (visitor.isRobot) return this.#appointRobot(request)
    // The ticket is changed in place. New objects for forty million polls would cost more than the polls.
    if (visitor.ticket && visitor.ticket !== ticket) Object.assign(visitor.ticket, ticket)
    if (step.confirms) this.#confirm(visitor, edge, ticket)
    if (place.state === 'waiting' && place.position !== null)
      this.#show(visitor, place.position, place.wait, snapshot?.slowed != null)
    if (!stays) return
    if (step.why === 'called') {
      visitor.hasSlept = true
      return agenda.appoint(visitor, agenda.nowMs + random.between(SLEEP_MS.least, SLEEP_MS.most))
    }
    agenda.appoint(visitor, agenda.nowMs + pollAfter(step, this.#room.stepRules, nowMs, random.next()))
  }

  #claim(request: Request, step: ClaimStep, as: Outsider): void {
    const { counts, network } = this.#around
    const { visitor, edge, stays } = request
    const { ticket } = step
    if (!stays) return
    const tokenRequests = edge.requests?.chargeToClaim(visitor, ticket.sid)
    const claim = tokenRequests ? { ...ticket, tokenRequests } : { ...ticket }
    counts.objectCalls++
    network.call<ClaimAnswer>(
      reply => this.#doors.claim(visitor, claim, reply),
      answer => {
        if (answer && answer.verdict !== 'admitted') edge.requests?.forget(ticket.sid)
        if (answer?.verdict === 'none') edge.emptyDoors.add(doorOf(ticket.sid))
        if (answer?.verdict === 'admitted') this.#enter(request, answer.expiresMs)
        else if (visitor.isRobot) this.#appointRobot(request)
        else this.#goOnAfter(request, step, as, answer)
      },
    )
  }

  #goOnAfter(request: Request, step: ClaimStep, as: Outsider, answer: Refusal | null): void {
    const next = afterClaim(step, answer ?? { verdict: 'unreachable' }, this.#room.stepRules, request.nowMs)
    switch (next.kind) {
      case 'wait':
        return this.#wait(request, next)
      case 'retry':
        // The visitor was admitted, but no answer came back before the first session was over.
        if (next.ticket) request.visitor.takes(next.ticket, 0)
        return this.#goOn(request, next.ticket, { ...as, issued: null, delayMs: null, claims: as.claims + 1 })
      case 'reject':
        throw new Error(`a simulated room rejects no visitor, not even for ${next.why}`)
    }
  }

  #enter(request: Request, expiresMs: number): void {
    const { agenda, counts, random, scenario } = this.#around
    const { nowMs } = agenda
    const { visitor } = request
    if (visitor.isRobot) {
      counts.robotsAdmitted++
      return this.#appointRobot(request)
    }
    if (visitor.person.isIn) return
    visitor.person.isIn = true
    visitor.stay = { admittedMs: nowMs, leavesMs: nowMs + scenario.stayMs * random.between(0.5, 1.5), expiresMs }
    agenda.appoint(visitor, nowMs + Math.min(scenario.stayMs / 2, 20_000) * random.next())
  }

  #appointRobot({ visitor, stays }: Request): void {
    const { agenda, random } = this.#around
    if (stays) agenda.appoint(visitor, agenda.nowMs + ROBOT_EVERY_MS * random.between(0.5, 1.5))
  }

  /** Returns true once, unless the ticket's batch is over: another draw then costs the visitor nothing. */
  #dropsTicket(visitor: Visitor, nowMs: number): boolean {
    const { ticket, habit, hasDropped } = visitor
    if (habit !== 'drops' || hasDropped || !ticket) return false
    if (ticket.draw && nowMs >= ticket.draw.untilMs) return false
    visitor.hasDropped = true
    return true
  }

  #issue({ visitor, edge, nowMs }: Request, lane: string): Ticket {
    const { random, scenario } = this.#around
    const { count, from } = edge.state.snapshot?.doors ?? { count: scenario.growsFrom ?? scenario.doors, from: 0 }
    const sid = `d-${from + random.below(count - from)}.${visitor.number}-${visitor.places}`
    const ticket = this.#lots.newTicket(sid, lane, edge.state.snapshot, nowMs)
    visitor.takes(ticket, ticket.entry ? this.#room.startsMs : (ticket.draw?.untilMs ?? 0))
    return ticket
  }

  #noteMissed({ visitor, lastSeenMs }: Request): void {
    const { agenda, checks, counts, events } = this.#around
    events?.note(agenda.nowMs, visitor, `visitor ${visitor.number} missed its turn, key ${visitor.ticket?.key}`)
    // The claim window of a visitor who slept may end while a claim is on its way.
    if (!visitor.isLate) checks.missed(visitor, lastSeenMs, agenda.nowMs)
    counts.missed++
    visitor.hasMissed = true
  }

  /** Counts a place as taken only once, even if edges count it several times. */
  #confirm(visitor: Visitor, edge: Edge, ticket: Ticket): void {
    edge.state.tally.add(counterOf(ticket))
    if (ticket.entry || visitor.isCounted) return
    visitor.isCounted = true
    this.#around.counts.confirmed++
    if (visitor.isScript) this.#around.counts.scriptsCounted++
  }

  #giveUp(edge: Edge, ticket: Ticket): void {
    const counter = goneCounterOf(ticket)
    if (counter) edge.state.tally.add(counter)
  }

  #show(visitor: Visitor, position: number, wait: Wait | null, mayRise: boolean): void {
    const { agenda, checks, events, random } = this.#around
    const { nowMs } = agenda
    events?.note(nowMs, visitor, `visitor ${visitor.number} is shown position ${position}`)
    checks.shown(visitor, position, nowMs)
    if (!wait) return
    const waitMs = Math.round(wait.likelyMs)
    checks.waitShown(visitor, waitMs, mayRise, nowMs)
    const chance = random.next()
    keepEstimate(visitor, waitMs, chance, nowMs)
    keepRange(visitor, wait, chance, nowMs)
  }
}

type Refusal = Exclude<ClaimAnswer, { readonly verdict: 'admitted' }>

/** A visitor who will be late only looks at first, and sleeps once called. */
function outsider({ lane, isLate, hasSlept }: Visitor): Outsider {
  const purpose = isLate && !hasSlept ? 'poll' : 'enter'
  const known = OUTSIDERS[purpose].get(lane)
  if (known) return known
  const invitedTo = lane === MAIN_LANE ? null : lane
  const invitation = invitedTo === null ? 'none' : 'valid'
  const made = { purpose, invitation, invitedTo, keepsCookie: false, behindMs: 0, ...UNKNOWN_YET } as const
  OUTSIDERS[purpose].set(lane, made)
  return made
}

/** Outsiders that are shared, by lane. Nearly every poll begins with one of them. */
const OUTSIDERS = { poll: new Map<string, Outsider>(), enter: new Map<string, Outsider>() }
