/** The visitors outside: they take a place, poll when asked to, close the tab or sleep, and claim once called. */

import { RETRY_AFTER_MS } from '../../src/core/door/door.ts'
import { bucketOf } from '../../src/core/line/arrivals.ts'
import { keyAgain, nextPollMs, placeOf, refused, seen } from '../../src/core/place/place.ts'
import type { Claim, ClaimAnswer, View } from '../../src/core/protocol/messages.ts'
import { MAIN_LANE, type Ticket } from '../../src/core/ticket.ts'
import type { Doors } from './doors.ts'
import type { Edge } from './edges.ts'
import { keepEstimate } from './estimates.ts'
import { Lots } from './lots.ts'
import { CLAIM_WINDOW_MS } from './scenario.ts'
import type { Surroundings } from './surroundings.ts'
import type { Visitor } from './visitor.ts'

/** The mean time between two requests of a robot without cookies. */
const ROBOT_EVERY_MS = 5_000
/** How long an edge without a view asks a visitor to wait. */
const NO_VIEW_RETRY_MS = 2_000
/** How long a visitor sleeps who is late for the call. */
const SLEEP_MS = { least: 10_000, most: 400_000 }

export class InLine {
  readonly #around: Surroundings
  readonly #doors: Doors
  readonly #lots: Lots

  constructor(around: Surroundings, doors: Doors) {
    this.#around = around
    this.#doors = doors
    this.#lots = new Lots(around.scenario.seed)
  }

  /** One request at an edge: the first arrival, a poll, or a claim. */
  ask(visitor: Visitor, edge: Edge): void {
    const { agenda, checks, counts, events, random } = this.#around
    const { view } = edge.state
    const nowMs = agenda.nowMs + edge.skewMs
    counts.polls++
    if (!view) return agenda.appoint(visitor, agenda.nowMs + NO_VIEW_RETRY_MS)
    if (visitor.isRobot) return this.#askWithoutCookie(visitor, edge, view, nowMs)
    if (visitor.person.isIn) return
    const lastSeenMs = visitor.seenMs
    visitor.seenMs = agenda.nowMs
    const held = this.#dropsTicket(visitor, nowMs) ? this.#takePlace(visitor, nowMs, view) : visitor.ticket
    let ticket = held
      ? this.#lots.withPlace(held, view.events)
      : this.#takePlace(visitor, visitor.arrivesMs + edge.skewMs, view)
    let place = placeOf(ticket, view, CLAIM_WINDOW_MS, nowMs)
    if (place.state === 'missed') {
      events?.note(agenda.nowMs, visitor, `visitor ${visitor.number} missed its turn, key ${ticket.key}`)
      // The claim window of a visitor who slept may end while a claim is on its way.
      if (!visitor.isLate) checks.missed(visitor, lastSeenMs, agenda.nowMs)
      counts.missed++
      visitor.hasMissed = true
      ticket = this.#takePlace(visitor, nowMs, view)
      place = placeOf(ticket, view, CLAIM_WINDOW_MS, nowMs)
    } else if (held) {
      const next = seen(ticket, place, CLAIM_WINDOW_MS, nowMs)
      if (next.confirmed && !ticket.confirmed) this.#confirm(edge, next)
      ticket = next
    }
    visitor.ticket = ticket
    if (place.state === 'waiting' && place.position !== null) {
      this.#show(visitor, place.position, place.wait?.likelyMs, view.slowed != null)
    }
    if (!visitor.staysAfterPoll()) return
    if (place.state !== 'called') {
      agenda.appoint(visitor, agenda.nowMs + nextPollMs(ticket, place, view, { nowMs, random: random.next() }))
    } else if (visitor.isLate && !visitor.hasSlept) {
      visitor.hasSlept = true
      agenda.appoint(visitor, agenda.nowMs + random.between(SLEEP_MS.least, SLEEP_MS.most))
    } else this.#claim(visitor, ticket, edge, view)
  }

  /**
   * Takes a new place with every request and never returns to it. In an open room such a place is called at once, and
   * the robot claims it.
   */
  #askWithoutCookie(visitor: Visitor, edge: Edge, view: View, nowMs: number): void {
    this.#around.counts.robotRequests++
    const ticket = this.#takePlace(visitor, nowMs, view)
    const { state } = placeOf(ticket, view, CLAIM_WINDOW_MS, nowMs)
    if (state === 'called') this.#claim(visitor, ticket, edge, view)
    else this.#appointRobot(visitor)
  }

  #appointRobot(visitor: Visitor): void {
    const { agenda, random } = this.#around
    if (!visitor.staysAfterPoll()) return
    agenda.appoint(visitor, agenda.nowMs + ROBOT_EVERY_MS * random.between(0.5, 1.5))
  }

  /** Returns true once, unless the ticket's batch is over: another draw then costs the visitor nothing. */
  #dropsTicket(visitor: Visitor, nowMs: number): boolean {
    const { ticket, person, hasDropped } = visitor
    if (person.habit !== 'drops' || hasDropped || !ticket) return false
    if (ticket.draw && nowMs >= ticket.draw.untilMs) return false
    visitor.hasDropped = true
    return true
  }

  #show(visitor: Visitor, position: number, waitMs: number | undefined, mayRise: boolean): void {
    const { agenda, checks, events, random } = this.#around
    const { nowMs } = agenda
    events?.note(nowMs, visitor, `visitor ${visitor.number} is shown position ${position}`)
    checks.shown(visitor, position, nowMs)
    if (waitMs === undefined) return
    checks.waitShown(visitor, waitMs, mayRise, nowMs)
    keepEstimate(visitor, waitMs, random.next(), nowMs)
  }

  #confirm(edge: Edge, ticket: Ticket): void {
    if (ticket.entry) return edge.state.tally.add(`entry/${ticket.entry.draw}`)
    this.#around.counts.confirmed++
    edge.state.tally.add(`line/${ticket.lane}/${bucketOf(ticket.key)}`)
  }

  #takePlace(visitor: Visitor, atMs: number, view: View): Ticket {
    const { random, scenario } = this.#around
    const sid = `d${random.below(scenario.doors)}.${visitor.number}-${visitor.places}`
    const { lane } = visitor
    const { secretUntilMs, ...taken } = this.#lots.take(sid, lane, view, atMs)
    const ticket = { ...newTicket(sid, view, atMs), lane, ...taken }
    visitor.takes(ticket, secretUntilMs)
    return ticket
  }

  #claim(visitor: Visitor, ticket: Ticket, edge: Edge, view: View): void {
    const { counts, network } = this.#around
    const tokenRequests = edge.requests?.chargeToClaim(visitor, ticket.sid)
    const claim: Claim = tokenRequests ? { ...ticket, tokenRequests } : ticket
    counts.objectCalls++
    network.call<ClaimAnswer>(
      reply => this.#doors.claim(visitor, claim, reply),
      answer => {
        if (answer && answer.verdict !== 'admitted') edge.requests?.forget(ticket.sid)
        this.#hear(visitor, ticket, view, answer)
      },
    )
  }

  #hear(visitor: Visitor, ticket: Ticket, view: View, answer: ClaimAnswer | null): void {
    const { agenda, counts, random, scenario } = this.#around
    const { nowMs } = agenda
    if (visitor.isRobot) {
      if (answer?.verdict === 'admitted') counts.robotsAdmitted++
      return this.#appointRobot(visitor)
    }
    if (answer?.verdict === 'admitted') {
      const { person } = visitor
      if (person.isIn) return
      person.isIn = true
      const leavesMs = nowMs + scenario.stayMs * random.between(0.5, 1.5)
      visitor.stay = { admittedMs: nowMs, leavesMs, expiresMs: answer.expiresMs }
      return agenda.appoint(visitor, nowMs + Math.min(scenario.stayMs / 2, 20_000) * random.next())
    }
    if (answer?.verdict === 'none') visitor.ticket = refused(ticket, view, CLAIM_WINDOW_MS, nowMs)
    if (answer?.verdict === 'ended') {
      // The visitor was admitted, but the answer was lost for as long as a first session lasts.
      const { again } = answer
      if (again) {
        const { sid, lane } = again
        const place = { key: keyAgain(again.key, lane, view), lane, byMs: nowMs + CLAIM_WINDOW_MS }
        visitor.takes({ ...newTicket(sid, view, nowMs), ...place }, 0)
      } else this.#takePlace(visitor, nowMs, view)
    }
    agenda.appoint(visitor, nowMs + RETRY_AFTER_MS * random.between(0.8, 1.2))
  }
}

function newTicket(sid: string, { generation }: View, nowMs: number): Ticket {
  const place = { key: nowMs, lane: MAIN_LANE, confirmed: false, low: null, byMs: null }
  return { room: 'room', sid, ...place, generation, issuedMs: nowMs }
}
