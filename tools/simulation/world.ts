/**
 * A crowd, many edges, some doors and one room in virtual time. Decisions and messages are those of `src/core`. Only
 * clocks, the network and storage are simulated, and they fail as the scenario demands.
 */
import { type Quota, quotaOf } from '../../src/core/gcra.ts'
import { Agenda } from './agenda.ts'
import { Checks } from './checks.ts'
import { Crowd } from './crowd.ts'
import { Doors } from './doors.ts'
import { Edges } from './edges.ts'
import { Estimates } from './estimates.ts'
import type { Events } from './events.ts'
import { InLine } from './in-line.ts'
import { Inside } from './inside.ts'
import { Lots } from './lots.ts'
import { Network } from './network.ts'
import { Owners } from './owners.ts'
import type { Usage } from './prices.ts'
import { Random } from './random.ts'
import { Room } from './room.ts'
import { type Change, type Scenario, type SimulatedLane, START_MS } from './scenario.ts'
import { visitorOf } from './sids.ts'
import { type Counts, newCounts, type Surroundings } from './surroundings.ts'
import { type Sample, useOf } from './use.ts'

export type { Scenario } from './scenario.ts'

const TICK_MS = 1_000
/** Longer than any call takes. */
const QUIET_MS = 4_000
/** The mean number of requests of a robot without cookies. */
const ROBOT_REQUESTS = 20

export class World {
  readonly scenario: Scenario
  readonly checks: Checks
  readonly crowd: Crowd
  readonly estimates: Estimates
  readonly startMs = START_MS
  readonly owners: Owners
  /** When each visitor arrives, in ascending order, once for each ticket. */
  readonly arrivedMs: Float64Array
  readonly samples: Sample[] = []
  readonly counts: Counts = newCounts()
  readonly #agenda: Agenda
  readonly #random: Random
  readonly #room: Room
  readonly #doors: Doors
  readonly #edges: Edges
  readonly #inside: Inside
  #arrived = 0

  constructor(scenario: Scenario, events: Events | null = null) {
    const { lanes = [], limit } = scenario
    const random = new Random(scenario.seed)
    this.scenario = scenario
    this.#random = random
    this.checks = new Checks(scenario)
    const skewsMs = Array.from({ length: scenario.edges }, () =>
      random.between(-scenario.clockSkewMs, scenario.clockSkewMs),
    )
    const arrivals =
      scenario.arrivalsMs ?? new Float64Array(scenario.visitors).map(() => random.next() * scenario.arriveMs)
    this.owners = new Owners(arrivals.map(afterMs => START_MS + afterMs).sort(), scenario, random)
    this.arrivedMs = this.owners.takenMs
    const tickets = this.arrivedMs.length
    const lots = scenario.shuffleMs || scenario.drawAtMs !== undefined ? new Lots(scenario.seed, tickets) : null
    this.estimates = new Estimates(tickets, START_MS)
    this.#agenda = new Agenda(
      START_MS,
      tickets,
      visitor => this.#step(visitor),
      visitor => this.crowd.fetch(visitor) + this.estimates.fetch(visitor, this.#agenda.nowMs),
    )
    const around: Surroundings = {
      scenario,
      agenda: this.#agenda,
      random,
      network: new Network(scenario, this.#agenda, random),
      checks: this.checks,
      events,
      counts: this.counts,
    }
    const quota: Quota | null = limit ? quotaOf(limit.count, limit.periodMs, limit.burst) : null
    this.#room = new Room(around)
    this.crowd = new Crowd(
      tickets,
      this.#room.state.generation,
      lanes.map(({ name }) => name),
      lots,
    )
    this.#doors = new Doors(around, this.#room, quota)
    const line = new InLine(around, this.#doors, {
      crowd: this.crowd,
      owners: this.owners,
      estimates: this.estimates,
      lots,
    })
    this.#edges = new Edges(around, this.#doors, skewsMs, (visitor, edge) => line.ask(visitor, edge))
    this.#inside = new Inside(around, this.#doors, this.#edges, this.crowd)
    if (quota) this.#edges.limit(quota, (touch, reply) => reply(this.#inside.touch(visitorOf(touch.sid), touch)))
  }

  /** Plays the whole run, or stops at the end of the second in which the named guarantee is broken. */
  run(untilBroken: string | null = null): void {
    const { scenario } = this
    const agenda = this.#agenda
    for (const change of scenario.changes) agenda.at(START_MS + change.atMs, () => this.#change(change))
    if (scenario.drawAtMs !== undefined) agenda.at(START_MS + scenario.drawAtMs, () => this.#room.startEvent())
    const busyMs = this.#busyMs()
    for (let i = 0; i < scenario.evictions; i++) {
      const atMs = START_MS + this.#random.next() * busyMs
      // One more than there are doors: the last number means the room.
      const whom = this.#random.below(scenario.doors + 1)
      agenda.at(atMs, () => (whom === scenario.doors ? this.#room.evict() : this.#doors.evict(whom)))
    }
    const endMs = START_MS + scenario.untilMs
    // A visitor without an appointment may have a call under way, or may return with an old ticket.
    const quietForMs = QUIET_MS + (scenario.duplicate > 0 ? 2 * scenario.sessionMs : 0)
    let busyAtMs = START_MS
    for (let atMs = START_MS; atMs < endMs && atMs - busyAtMs <= quietForMs; atMs += 1_000) {
      this.#welcome(atMs + 1_000)
      agenda.runUntil(atMs + 1_000)
      this.#sample()
      if (this.#arrived < this.crowd.size || agenda.appointments > 0) busyAtMs = atMs
      if (untilBroken && this.checks.violations.some(({ invariant }) => invariant === untilBroken)) break
    }
    this.#doors.checkInside()
    this.checks.finish(useOf(this.samples), this.crowd, agenda.nowMs)
  }

  /** Calls that isolates made about the requests of sessions. */
  get limitCalls(): number {
    return this.#edges.limitCalls
  }

  get ratePerMinute(): number {
    return this.#room.rules.ratePerMinute
  }

  /** The use that Cloudflare would bill. Objects that sync every second stay awake for the whole run. */
  get usage(): Usage {
    const { polls, pageViews, objectRequests, rowsWritten } = this.counts
    return {
      workerRequests: polls + pageViews,
      objectRequests,
      objectSeconds: ((this.scenario.doors + 1) * (this.#agenda.nowMs - START_MS)) / 1_000,
      rowsRead: this.#doors.rowsRead,
      rowsWritten: rowsWritten + this.#doors.rowsWritten,
    }
  }

  /** Sessions that take a place, as their doors count them. */
  live(): number {
    return this.#doors.live()
  }

  /** How long the run takes at least, until the rate has admitted all visitors. */
  #busyMs(): number {
    const { visitors, untilMs } = this.scenario
    const rate = Math.max(1, ...this.scenario.changes.map(change => change.ratePerMinute ?? 0), this.ratePerMinute)
    return Math.min(untilMs, (this.arrivedMs.at(-1) ?? START_MS) - START_MS + (visitors / rate) * 60_000)
  }

  /** Gives its first appointment to each visitor who arrives before `untilMs`. */
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
      this.#agenda.appoint(this.#arrived, atMs)
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
    if (this.crowd.isInside(visitor)) this.#inside.browse(visitor)
    else this.#edges.request(visitor, this.#edges.near(this.crowd.edge(visitor)))
  }

  #change(change: Change): void {
    this.#room.change(change)
    this.#doors.pokeAll()
  }

  #sample(): void {
    this.#room.noteShares(TICK_MS, lane => this.#doors.admittedIn(lane))
    const { ratePerMinute, totalActiveUsers } = this.#room.rules
    const { inLine, callable, standing } = this.#room
    this.samples.push({
      atMs: this.#agenda.nowMs - START_MS,
      arrived: this.#arrived,
      waiting: inLine,
      callable,
      standing,
      active: this.live(),
      admitted: this.checks.admissions,
      ratePerMinute,
      totalActiveUsers,
    })
  }
}
