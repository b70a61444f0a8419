/** The objects that all parts of a simulated world share. */
import type { Agenda } from './agenda.ts'
import type { Checks } from './checks.ts'
import type { Events } from './events.ts'
import type { Network } from './network.ts'
import type { Random } from './random.ts'
import type { Scenario } from './scenario.ts'

export interface Surroundings {
  readonly scenario: Scenario
  readonly agenda: Agenda
  readonly random: Random
  readonly network: Network
  readonly checks: Checks
  /** Null when events are not recorded. */
  readonly events: Events | null
  readonly counts: Counts
}

export interface Counts {
  /** Calls that an edge made for a visitor: claims and touches. */
  objectCalls: number
  /** All requests to objects: claims, touches, syncs, hints and alarms. */
  objectRequests: number
  polls: number
  pageViews: number
  /** Tickets that have become confirmed. */
  confirmed: number
  missed: number
  robotRequests: number
  robotsAdmitted: number
  /** Rows of the room, and alarms of doors. */
  rowsWritten: number
}

export function newCounts(): Counts {
  return {
    objectCalls: 0,
    objectRequests: 0,
    polls: 0,
    pageViews: 0,
    confirmed: 0,
    missed: 0,
    robotRequests: 0,
    robotsAdmitted: 0,
    rowsWritten: 0,
  }
}
