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

export class Counts {
  /** Calls that an edge made for a visitor: claims and renewals. */
  objectCalls = 0
  /** All requests to objects: claims, renewals, syncs, hints and alarms. */
  objectRequests = 0
  polls = 0
  pageViews = 0
  /** Tickets that have become confirmed. */
  confirmed = 0
  missed = 0
  robotRequests = 0
  robotsAdmitted = 0
  /** Tickets of scripts that have counted in line. */
  scriptsCounted = 0
  /** Rows that the room has written, and alarms that doors have set. */
  rowsWritten = 0
}
