/** The visitors outside: they take a place, poll when asked to, close the tab or sleep, and claim once called. */

import { RETRY_AFTER_MS } from '../../src/core/door/door.ts'
import { bucketOf } from '../../src/core/line/arrivals.ts'
import { keyAgain, nextPollMs, placeOf, refused, seen } from '../../src/core/place/place.ts'
import type { Claim, ClaimAnswer, View } from '../../src/core/protocol/messages.ts'
import type { Ticket } from '../../src/core/ticket.ts'
import type { Crowd } from './crowd.ts'
import type { Doors } from './doors.ts'
import type { Edge } from './edges.ts'
import type { Estimates } from './estimates.ts'
import type { Lots } from './lots.ts'
import type { Owners } from './owners.ts'
import { CLAIM_WINDOW_MS, START_MS } from './scenario.ts'
import { sidOf } from './sids.ts'
import type { Surroundings } from './surroundings.ts'

/** The mean time between two requests of a robot without cookies. */
const ROBOT_EVERY_MS = 5_000
/** How long an edge without a view asks a visitor to wait. */
const NO_VIEW_RETRY_MS = 2_000

export class InLine {
  readonly #around: Surroundings
  readonly #doors: Doors
  readonly #crowd: Crowd
  readonly #owners: Owners
  readonly #estimates: Estimates
  /** Null where places are given by arrival. */
  readonly #lots: Lots | null

  constructor(
    around: Surroundings,
    doors: Doors,
    { crowd, owners, estimates, lots }: { crowd: Crowd; owners: Owners; estimates: Estimates; lots: Lots | null },
  ) {
    this.#around = around
    this.#doors = doors
    this.#crowd = crowd
    this.#owners = owners
    this.#estimates = estimates
    this.#lots = lots
  }

  /** One request at an edge: the first arrival, a poll, or a claim. */
  ask(visitor: number, edge: Edge): void {
    const { agenda, checks, counts, events, random } = this.#around
    const crowd = this.#crowd
    const { view } = edge.state
    const nowMs = agenda.nowMs + edge.skewMs
    counts.polls++
    if (!view) return agenda.appoint(visitor, agenda.nowMs + NO_VIEW_RETRY_MS)
    if (crowd.isRobot(visitor)) return this.#askWithoutCookie(visitor, edge, view, nowMs)
    if (this.#owners.isIdle(visitor)) return
    const lastSeenMs = crowd.asks(visitor, agenda.nowMs)
    if (this.#dropsTicket(visitor, nowMs)) this.#takePlace(visitor, nowMs, view)
    const isNew = !crowd.hasTicket(visitor)
    if (isNew) this.#takePlace(visitor, (this.#owners.takenMs[visitor] as number) + edge.skewMs, view)
    let ticket = crowd.ticket(visitor)
    if (this.#lots && view.events && !isNew) ticket = this.#lots.withPlace(ticket, crowd.sid(visitor), view.events)
    let place = placeOf(ticket, view, CLAIM_WINDOW_MS, nowMs)
    if (place.state === 'missed') {
      events?.note(agenda.nowMs, visitor, `visitor ${visitor} missed its turn, key ${ticket.key - START_MS} ms`)
      // The claim window of a visitor who slept may end while a claim is on its way.
      if (!crowd.isLate(visitor)) checks.missed(visitor, lastSeenMs, agenda.nowMs)
      counts.missed++
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
      agenda.appoint(visitor, agenda.nowMs + nextPollMs(ticket, place, view, { nowMs, random: random.next() }))
    } else if (crowd.fallsAsleep(visitor)) {
      agenda.appoint(visitor, agenda.nowMs + random.between(10_000, 400_000))
    } else this.#claim(visitor, edge, view)
  }

  /**
   * Takes a new place with every request and never returns to it. In an open room such a place is called at once, and
   * the robot claims it.
   */
  #askWithoutCookie(visitor: number, edge: Edge, view: View, nowMs: number): void {
    this.#around.counts.robotRequests++
    this.#takePlace(visitor, nowMs, view)
    if (placeOf(this.#crowd.ticket(visitor), view, CLAIM_WINDOW_MS, nowMs).state === 'called')
      this.#claim(visitor, edge, view)
    else this.#appointRobot(visitor)
  }

  #appointRobot(visitor: number): void {
    const { agenda, random } = this.#around
    if (!this.#crowd.staysAfterPoll(visitor)) return
    agenda.appoint(visitor, agenda.nowMs + ROBOT_EVERY_MS * random.between(0.5, 1.5))
  }

  /** Returns true once, unless the ticket's batch is over: another draw then costs the visitor nothing. */
  #dropsTicket(visitor: number, nowMs: number): boolean {
    const crowd = this.#crowd
    const owners = this.#owners
    if (!owners.differ || owners.habitOf(visitor) !== 'drops' || !crowd.hasTicket(visitor)) return false
    const { draw } = crowd.ticket(visitor)
    return (!draw || nowMs < draw.untilMs) && crowd.drops(visitor)
  }

  #show(visitor: number, position: number, waitMs: number | undefined, mayRise: boolean): void {
    const { agenda, checks, events, random } = this.#around
    const { nowMs } = agenda
    const before = this.#crowd.shows(visitor, position)
    events?.note(nowMs, visitor, `visitor ${visitor} is shown position ${position}`)
    checks.shown(visitor, position, before, nowMs)
    if (this.#lots) checks.shownEarly(visitor, this.#lots.secretUntilMs(visitor), nowMs)
    if (waitMs === undefined) return
    const waitBeforeMs = this.#crowd.showsWait(visitor, waitMs)
    if (!mayRise && waitBeforeMs > 0) checks.waitRose(visitor, this.#estimates.rise(waitBeforeMs, waitMs), nowMs)
    this.#estimates.shown(visitor, waitMs, random.next(), nowMs)
  }

  #confirm(edge: Edge, ticket: Ticket): void {
    if (ticket.entry) return edge.state.tally.add(`entry/${ticket.entry.draw}`)
    this.#around.counts.confirmed++
    edge.state.tally.add(`line/${ticket.lane}/${bucketOf(ticket.key)}`)
  }

  #takePlace(visitor: number, atMs: number, view: View): void {
    const { random, scenario } = this.#around
    const crowd = this.#crowd
    const door = random.below(scenario.doors)
    const madeMs = Math.floor(atMs - START_MS)
    const key = this.#lots
      ? this.#lots.take(visitor, sidOf(door, visitor, madeMs), crowd.lane(visitor), view, atMs)
      : atMs
    crowd.take(visitor, door, madeMs, key, atMs)
  }

  #claim(visitor: number, edge: Edge, view: View): void {
    const { counts, network } = this.#around
    const ticket = this.#crowd.copyOfTicket(visitor)
    const requests = edge.requests?.chargeToClaim(ticket.sid)
    const claim: Claim = requests ? { ...ticket, tokenRequests: requests } : ticket
    counts.objectCalls++
    network.call<ClaimAnswer>(
      reply => this.#doors.claim(visitor, claim, reply),
      answer => {
        if (answer && answer.verdict !== 'admitted') edge.requests?.forget(ticket.sid)
        this.#hear(visitor, ticket, view, answer)
      },
    )
  }

  #hear(visitor: number, ticket: Ticket, view: View, answer: ClaimAnswer | null): void {
    const { agenda, counts, random, scenario } = this.#around
    const crowd = this.#crowd
    const { nowMs } = agenda
    if (crowd.isRobot(visitor)) {
      if (answer?.verdict === 'admitted') counts.robotsAdmitted++
      return this.#appointRobot(visitor)
    }
    if (answer?.verdict === 'admitted') {
      if (!this.#owners.enters(visitor)) return
      const leavesMs = nowMs + scenario.stayMs * random.between(0.5, 1.5)
      crowd.enters(visitor, leavesMs, answer.expiresMs, nowMs)
      return agenda.appoint(visitor, nowMs + Math.min(scenario.stayMs / 2, 20_000) * random.next())
    }
    if (answer?.verdict === 'none') crowd.keep(visitor, refused(ticket, view, CLAIM_WINDOW_MS, nowMs))
    if (answer?.verdict === 'ended') {
      // The visitor was admitted, but the answer was lost for as long as a first session lasts.
      const { again } = answer
      if (again) {
        const key = keyAgain(again.key, again.lane, view)
        this.#lots?.clear(visitor)
        crowd.takeAgain(visitor, again.sid, key, nowMs + CLAIM_WINDOW_MS, nowMs)
      } else this.#takePlace(visitor, nowMs, view)
    }
    agenda.appoint(visitor, nowMs + RETRY_AFTER_MS * random.between(0.8, 1.2))
  }
}
