/** The people of a simulation, and their places in line. */
import type { Ticket } from '../../src/core/ticket.ts'

/** Most people take one ticket. Some take several at once, and some drop theirs and take a new one. */
export type Habit = 'single' | 'several' | 'drops'

export interface Person {
  readonly arrivesMs: number
  readonly habit: Habit
  /** True once one of the person's tickets has been admitted. */
  isIn: boolean
}

/** A wait that was shown. */
export interface Estimate {
  readonly atMs: number
  readonly waitMs: number
}

/** The traits that are drawn for a visitor before the run. */
export interface Plan {
  /** The isolate that gets most of the requests. */
  readonly edge: number
  readonly lane: string
  readonly isRobot: boolean
  /** A script that keeps its ticket and solves no challenge. */
  readonly isScript: boolean
  /** How often the visitor polls before closing the tab; null for a visitor who stays. */
  readonly pollsMax: number | null
  /** The visitor sleeps through the call, and comes back later. */
  readonly isLate: boolean
}

/** One person, or one of several tabs of a person, each with a ticket of its own. */
export class Visitor implements Plan {
  ticket: Ticket | null = null
  /** The stay inside; null until a door's answer admits the visitor. */
  stay: { readonly admittedMs: number; leavesMs: number; expiresMs: number } | null = null
  /** The time at which the visitor reached the site without a session, because the room was suspended. */
  passedMs: number | null = null
  readonly edge: number
  readonly lane: string
  readonly habit: Habit
  readonly isRobot: boolean
  readonly isScript: boolean
  readonly isLate: boolean
  readonly pollsMax: number | null
  polls = 0
  /** The time of the visitor's last request; 0 before the first one. */
  seenMs = 0
  hasSlept = false
  hasDropped = false
  /** The position and the wait that were last shown for the present place; 0 if none was shown. */
  shownPosition = 0
  shownWaitMs = 0
  /** The place is not drawn before this time. */
  secretUntilMs = 0
  /** Waits shown to the visitor, of which the first, the last and a random one are kept. */
  waits: { count: number; readonly first: Estimate; readonly last: Estimate; readonly any: Estimate } | null = null
  /** One of the ranges that were shown, chosen at random. `rangesShown` is the number of them. */
  range: { readonly fromMs: number; readonly untilMs: number } | null = null
  rangesShown = 0
  hasMissed = false
  /** The present place was counted in line. */
  isCounted = false
  /** How many places the visitor has taken. Each has a sid of its own. */
  places = 0
  readonly number: number
  readonly person: Person
  readonly arrivesMs: number

  constructor(number: number, person: Person, arrivesMs: number, plan: Plan) {
    this.number = number
    this.person = person
    this.habit = person.habit
    this.arrivesMs = arrivesMs
    this.edge = plan.edge
    this.lane = plan.lane
    this.isRobot = plan.isRobot
    this.isScript = plan.isScript
    this.pollsMax = plan.pollsMax
    this.isLate = plan.isLate
  }

  /** Replaces the ticket by one with another place. The shown position and wait belonged to the old place. */
  takes(ticket: Ticket, secretUntilMs: number): void {
    this.ticket = ticket
    this.places++
    this.secretUntilMs = secretUntilMs
    this.shownPosition = 0
    this.shownWaitMs = 0
    this.isCounted = false
  }

  /** Returns false once the visitor has closed the tab. */
  staysAfterPoll(): boolean {
    this.polls++
    return this.pollsMax === null || this.polls <= this.pollsMax
  }

  /** Whether a person polled when it should, from arrival to admission. */
  get isFaithful(): boolean {
    return !this.isLate && this.pollsMax === null && !this.hasMissed && !this.isScript
  }
}
