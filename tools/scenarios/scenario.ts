/** A replay of a real incident, small and short enough for one machine, and what the room promises in it. */
import type { CrowdOptions } from '../crowd/crowd.ts'
import type { Faults } from '../demo/faults.ts'
import type { Column } from './column.ts'

export interface Scenario {
  readonly name: string
  /** The incident, in a sentence or two. */
  readonly story: string
  /** How much smaller and shorter the replay is than the incident. */
  readonly scale: string
  readonly seconds: number
  /** Pages a second that the origin can serve. */
  readonly capacity: number
  readonly crowd: Pick<
    CrowdOptions,
    'visitors' | 'arriveMs' | 'arrivalMs' | 'stayMs' | 'thinkMs' | 'noShows' | 'addressOf'
  >
  /** In a longer run more visitors come, at the same rate. */
  readonly isSteady?: boolean
  /**
   * The rooms in front of the site, as an operator would write them. In the run without a room they are all suspended.
   */
  readonly rooms: readonly RoomFile[]
  readonly acts: readonly Act[]
  /** From this time on the site's health is judged: its p95 must be within twice the target, and few pages may fail. */
  readonly troubleSeconds: number
  readonly targetMs: number
  /** Promises of the room in this scenario, beside those of all scenarios. */
  readonly promises: readonly Promised[]
}

export type RoomFile = Readonly<Record<string, unknown>> & { readonly name: string }

/** Returns the scenario with another length. */
export function lasting(scenario: Scenario, seconds: number): Scenario {
  if (!scenario.isSteady) return { ...scenario, seconds }
  const { visitors, arriveMs = 0 } = scenario.crowd
  const factor = seconds / scenario.seconds
  const crowd = { ...scenario.crowd, visitors: Math.round(visitors * factor), arriveMs: arriveMs * factor }
  return { ...scenario, seconds, crowd }
}

/** Something that happens during the run. */
export interface Act {
  readonly atSeconds: number
  readonly words: string
  readonly breaks?: Partial<Faults>
  /** A change by the operator; left out in the run without a room. */
  readonly turns?: { readonly room: string; readonly settings: Readonly<Record<string, unknown>> }
}

export interface Promised {
  readonly words: string
  readonly isKept: (withRoom: Column, without: Column) => boolean
}
