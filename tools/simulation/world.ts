/**
 * A crowd, many edges, some doors and one room in virtual time. Decisions and messages are those of `src/core`. Only
 * clocks, the network and storage are simulated, and they fail as the scenario demands.
 */
import { quotaOf } from '../../src/core/gcra.ts'
import type { Usage } from '../../src/core/history/prices.ts'
import { Agenda } from './agenda.ts'
import { Checks } from './checks.ts'
import { newCrowd } from './crowd.ts'
import { Doors } from './doors.ts'
import { Edges } from './edges.ts'
import type { Events } from './events.ts'
import { InLine } from './in-line.ts'
import { Inside } from './inside.ts'
import { Network } from './network.ts'
import { ObjectLoad } from './object-load.ts'
import { Random } from './random.ts'
import { Room } from './room.ts'
import { type Change, POLICY, type Scenario, START_MS } from './scenario.ts'
import { Counts, type Surroundings } from './surroundings.ts'
import { type Sample, useOf } from './use.ts'
import type { Visitor } from './visitor.ts'

export type { Scenario } from './scenario.ts'

const TICK_MS = 1_000
/** A time that is longer than any call. */
const QUIET_MS = 4_000

export class World {
  readonly scenario: Scenario
  readonly checks: Checks
  /** All visitors, in order of arrival. */
  readonly visitors: readonly Visitor[]
  readonly startMs = START_MS
  readonly samples: Sample[] = []
  readonly load = new ObjectLoad()
  readonly counts = new Counts()
  readonly #agenda: Agenda
  readonly #random: Random
  readonly #room: Room
  readonly #doors: Doors
  readonly #edges: Edges
  readonly #inside: Inside
  #arrived = 0

  constructor(scenario: Scenario, events: Events | null = null) {
    const { limit } = scenario
    const random = new Random(scenario.seed)
    this.scenario = scenario
    this.#random = random
    this.checks = new Checks(scenario)
    this.visitors = newCrowd(scenario, random)
    this.#agenda = new Agenda(START_MS, visitor => this.#step(visitor))
    const around: Surroundings = {
      scenario,
      agenda: this.#agenda,
      random,
      network: new Network(scenario, this.#agenda, random),
      checks: this.checks,
      events,
      counts: this.counts,
    }
    const quota = limit ? quotaOf(limit.count, limit.periodMs, limit.burst) : null
    this.#room = new Room(around)
    this.#doors = new Doors(around, this.#room, policy => (policy === POLICY && quota ? quota : undefined))
    const line = new InLine(around, this.#room, this.#doors)
    this.#edges = new Edges(around, this.#doors, (visitor, edge, askedMs) => line.ask(visitor, edge, askedMs))
    this.#inside = new Inside(around, this.#doors, this.#edges)
    if (quota) this.#edges.limit(quota)
  }

  /** Plays the whole run, or stops at the end of the second in which the named guarantee is broken. */
  run(untilBroken: string | null = null): void {
    const { scenario } = this
    const agenda = this.#agenda
    for (const visitor of this.visitors) agenda.arrive(visitor, visitor.arrivesMs)
    for (const change of scenario.changes) agenda.at(START_MS + change.atMs, () => this.#change(change))
    if (scenario.drawAtMs !== undefined) agenda.at(START_MS + scenario.drawAtMs, () => this.#room.startEvent())
    const busyMs = this.#busyMs()
    for (let i = 0; i < scenario.evictions; i++) {
      const atMs = START_MS + this.#random.next() * busyMs
      // A number below the number of doors means a door. The next number means the room.
      const whom = this.#random.below(scenario.doors + 1)
      agenda.at(atMs, () => (whom === scenario.doors ? this.#room.evict() : this.#doors.evict(whom)))
    }
    const endMs = START_MS + scenario.untilMs
    // Without an event to come, a visitor may still have a call under way, or may return with an old ticket.
    const quietForMs = QUIET_MS + (scenario.duplicate > 0 ? 2 * scenario.sessionMs : 0)
    let busyAtMs = START_MS
    for (let atMs = START_MS; atMs < endMs && atMs - busyAtMs <= quietForMs; atMs += TICK_MS) {
      agenda.runUntil(atMs + TICK_MS)
      this.#sample()
      if (agenda.appointments > 0) busyAtMs = atMs
      if (untilBroken && this.checks.violations.some(({ invariant }) => invariant === untilBroken)) break
    }
    this.#doors.checkInside()
    this.checks.finish(useOf(this.samples), agenda.nowMs)
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
      objectSeconds: ((this.load.doorsMax + 1) * (this.#agenda.nowMs - START_MS)) / 1_000,
      rowsRead: this.#doors.rowsRead,
      rowsWritten: rowsWritten + this.#doors.rowsWritten,
    }
  }

  /** Sessions that take a place, as their doors count them. */
  get live(): number {
    return this.#doors.live
  }

  /** Returns the shortest time in which the rate can admit all visitors. */
  #busyMs(): number {
    const { visitors, untilMs } = this.scenario
    const rate = Math.max(1, ...this.scenario.changes.map(change => change.ratePerMinute ?? 0), this.ratePerMinute)
    const lastMs = this.visitors.at(-1)?.arrivesMs ?? START_MS
    return Math.min(untilMs, lastMs - START_MS + (visitors / rate) * 60_000)
  }

  #step(visitor: Visitor): void {
    const { stay, ticket } = visitor
    if (stay && ticket) this.#inside.browse(visitor, stay, ticket)
    else this.#edges.request(visitor)
  }

  #change(change: Change): void {
    this.#room.change(change)
    this.#doors.pokeAll()
  }

  #sample(): void {
    const { snapshot, doorPlan } = this.#room.state
    this.load.note({ calls: this.#doors.calls, syncs: this.#room.syncs, snapshot, doors: doorPlan.count })
    this.#room.noteShares(TICK_MS, lane => this.#doors.admittedIn(lane))
    const { totalActiveUsers } = this.#room.rules
    const ratePerMinute = this.#room.isSuspended ? 0 : this.ratePerMinute
    const { inLine, callable, standing } = this.#room
    while ((this.visitors[this.#arrived]?.arrivesMs ?? Number.POSITIVE_INFINITY) <= this.#agenda.nowMs) this.#arrived++
    this.samples.push({
      atMs: this.#agenda.nowMs - START_MS,
      arrived: this.#arrived,
      waiting: inLine,
      callable,
      standing,
      active: this.live,
      admitted: this.checks.admissions.length,
      ratePerMinute,
      totalActiveUsers,
    })
  }
}
