/** The simulated room. It runs the decisions of `src/core/room/room.ts`, its storage, and the operator's changes. */

import { commit } from '../../src/core/events/draws.ts'
import { callableKey } from '../../src/core/events/events.ts'
import type { ScheduledEvent } from '../../src/core/events/schedule.ts'
import { settledKey } from '../../src/core/line/batches.ts'
import { type Line, waiting } from '../../src/core/line/line.ts'
import type { StepRules } from '../../src/core/place/outsider.ts'
import type { DoorReport, Snapshot } from '../../src/core/protocol/messages.ts'
import * as roomHalf from '../../src/core/room/room.ts'
import { IN_FORCE_WITHIN_MS } from '../../src/core/timing.ts'
import { type Change, CLAIM_WINDOW_MS, MISSED_GRACE_MS, type Scenario, START_MS } from './scenario.ts'
import type { Surroundings } from './surroundings.ts'

/** From this share of its places on, the room counts as full. */
const NEARLY_FULL = 0.9

export interface RoomAnswer {
  readonly epoch: number
  readonly seq: number
  readonly granted: number
  readonly lanes?: Readonly<Record<string, number>>
  readonly snapshot: Snapshot
}

/** The doors, as their room sees them. */
export interface Below {
  /** Permits have been granted or given back. */
  checkInside(): void
  /** Hints to a door that it should report. */
  poke(door: string): void
}

export class Room {
  state: roomHalf.RoomState
  rules: roomHalf.RoomRules
  /** The part of the settings that edges need to decide about visitors outside. */
  stepRules: StepRules
  /** When the event starts; 0 without one. */
  readonly startsMs: number
  /** Reports of doors so far. */
  syncs = 0
  #suspendedAtMs = Number.POSITIVE_INFINITY
  readonly #around: Surroundings
  /** Places are drawn: a visitor without a place cannot be called yet. */
  readonly #isDrawn: boolean

  constructor(around: Surroundings) {
    const { scenario } = around
    this.#around = around
    this.#isDrawn = Boolean(scenario.shuffleMs) || scenario.drawAtMs !== undefined
    this.rules = {
      ratePerMinute: scenario.ratePerMinute,
      totalActiveUsers: scenario.totalActiveUsers,
      claimWindowMs: CLAIM_WINDOW_MS + MISSED_GRACE_MS,
      lanes: scenario.lanes ?? [],
      shuffleMs: (scenario.drawAtMs === undefined ? scenario.shuffleMs : null) ?? null,
      event: eventOf(scenario),
      doors: { least: scenario.growsFrom ?? scenario.doors, most: scenario.doors },
    }
    this.stepRules = stepRulesOf(this.rules, scenario)
    this.startsMs = this.rules.event?.startMs ?? 0
    this.state = roomHalf.newRoom(START_MS)
    if (this.rules.event) commit(this.state.events, [this.rules.event], () => `seed ${scenario.seed}`, START_MS)
  }

  sync(report: DoorReport, below: Below, reply: (answer: RoomAnswer) => void): void {
    const { agenda, checks, counts, events } = this.#around
    const { nowMs } = agenda
    counts.objectRequests++
    this.syncs++
    const outcome = roomHalf.sync(this.state, report, this.rules, nowMs)
    below.checkInside()
    const { snapshot } = this.state
    if (outcome.kind === 'stale' || !snapshot) return
    const { epoch, seq, door, spent, live } = report
    events?.note(nowMs, null, `room: ${door}, life ${epoch}, spent ${spent}, ${live} live, granted ${outcome.granted}`)
    const { granted, lanes } = outcome
    reply({ epoch, seq, granted, ...(lanes ? { lanes } : {}), snapshot })
    if (outcome.kind !== 'applied') return
    checks.counted(counts.confirmed, this.state.totals.confirmed ?? 0, nowMs)
    this.#save(outcome.dirty)
    for (const name of outcome.nudge) below.poke(name)
  }

  change({ suspended, ...change }: Change): void {
    const { agenda, checks, events } = this.#around
    if (suspended) this.#suspendedAtMs = agenda.nowMs
    roomHalf.tick(this.state, this.rules, agenda.nowMs)
    this.rules = { ...this.rules, ...change }
    this.stepRules = stepRulesOf(this.rules, this.#around.scenario)
    events?.note(agenda.nowMs, null, `the operator sets ${JSON.stringify(change)}`)
    checks.limits(this.rules, agenda.nowMs)
  }

  /** Puts the queueing method in force. Before the start of the event all newcomers wait for the start. */
  startEvent(): void {
    const { agenda, events, scenario } = this.#around
    this.rules = { ...this.rules, shuffleMs: scenario.shuffleMs ?? null }
    events?.note(agenda.nowMs, null, 'the event starts')
  }

  /** The room restarts from what it has stored. The doors' demands and the snapshot are not stored. */
  evict(): void {
    const { agenda, events } = this.#around
    const doors = [...this.state.doors].map(([name, door]) => [name, { ...door, demand: [] }] as const)
    this.state = { ...this.state, doors: new Map(doors), shown: new Map(), departedSinceTick: 0, snapshot: null }
    events?.note(agenda.nowMs, null, 'the room is evicted')
  }

  /** True once all edges know that the room is suspended. */
  get isSuspended(): boolean {
    return this.#around.agenda.nowMs >= this.#suspendedAtMs + IN_FORCE_WITHIN_MS
  }

  /** Permits granted at this epoch of a door, whether or not the answer has arrived. */
  grantedTo(door: string, epoch: number): number {
    const account = this.state.doors.get(door)
    return account?.epoch === epoch ? account.granted : 0
  }

  get inLine(): number {
    return roomHalf.waitingTotal(this.state)
  }

  get standing(): number {
    return roomHalf.readyCount(this.state, this.#around.agenda.nowMs)
  }

  /**
   * Visitors in line whose places are settled. Before its draw no visitor can be called, however many permits there
   * are.
   */
  get callable(): number {
    if (!this.#isDrawn) return this.inLine
    let people = 0
    for (const line of this.state.lines.values()) people += this.#callableIn(line)
    return people
  }

  /**
   * Notes which lanes had a line in the last `tookMs`. In a full room nothing counts, because permits depend there on
   * departures and not on the rate.
   */
  noteShares(tookMs: number, admittedIn: (lane: string) => number): void {
    const { totalActiveUsers, ratePerMinute } = this.rules
    const { agenda, checks } = this.#around
    const { live, outstanding: out } = roomHalf.sums(this.state)
    const isFull = live + out >= NEARLY_FULL * totalActiveUsers
    const peopleIn = (lane: string) => {
      const line = this.state.lines.get(lane)
      return line ? this.#callableIn(line) + roomHalf.readyIn(this.state, this.rules, lane, agenda.nowMs) : 0
    }
    checks.shares?.note(tookMs, isFull ? 0 : ratePerMinute / 60, peopleIn, admittedIn)
  }

  #callableIn(line: Line): number {
    if (!this.#isDrawn) return waiting(line)
    const { arrivals, state } = line
    const untilKey = callableKey(this.state.events, settledKey(this.state.draws, this.#around.agenda.nowMs))
    return untilKey > state.frontierKey ? arrivals.after(state.frontierKey) - arrivals.after(untilKey) : 0
  }

  /**
   * Counts the rows that the Room object writes for a report: its facts, the door's account, and the changed chunks of
   * the histogram.
   */
  #save(dirty: ReadonlyMap<string, ReadonlySet<number>>): void {
    const { counts } = this.#around
    counts.rowsWritten += 2
    for (const chunks of dirty.values()) counts.rowsWritten += chunks.size
    for (const { arrivals, state } of this.state.lines.values()) {
      counts.rowsWritten += arrivals.pruneBefore(state.frontierKey).length
    }
  }
}

function stepRulesOf({ lanes, ratePerMinute }: roomHalf.RoomRules, { challenge }: Scenario): StepRules {
  return {
    claimWindowMs: CLAIM_WINDOW_MS,
    missedGraceMs: MISSED_GRACE_MS,
    newcomers: 'wait',
    inviteOnly: false,
    lanes: lanes ?? [],
    whenSoldOut: 'hold',
    onRoomFailure: 'hold',
    ratePerMinute,
    challenge: { when: challenge ? 'crowded' : 'off', failed: 'again' },
  }
}

/** The prequeue of the event begins with the run. */
function eventOf({ drawAtMs, untilMs }: Scenario): ScheduledEvent | null {
  if (drawAtMs === undefined) return null
  const endMs = START_MS + drawAtMs + untilMs
  return { name: 'event', prequeueMs: START_MS, startMs: START_MS + drawAtMs, endMs, shuffles: true }
}
