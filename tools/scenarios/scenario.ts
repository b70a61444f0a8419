/** A replay: what happened to somebody, small and short enough for one machine, and what the room promises there. */
import type { CrowdOptions } from '../crowd/crowd.ts'
import type { Faults } from '../demo/faults.ts'
import type { Column } from './column.ts'

export interface Scenario {
  readonly name: string
  /** What happened, in a sentence or two. */
  readonly story: string
  /** How much smaller and shorter than what it replays. */
  readonly scale: string
  readonly seconds: number
  /** Pages a second that the origin can do. */
  readonly capacity: number
  readonly crowd: Pick<
    CrowdOptions,
    'visitors' | 'arriveMs' | 'arrivalMs' | 'stayMs' | 'thinkMs' | 'noShows' | 'addressOf'
  >
  /** A longer run has more visitors, who come as before. */
  readonly isSteady?: boolean
  /** The rooms in front of it, as an operator would write them. Without the room they are all suspended. */
  readonly rooms: readonly RoomFile[]
  readonly acts: readonly Act[]
  /** From when on the site is asked whether it is healthy (again): its p95 within twice the target, and few failures. */
  readonly troubleSeconds: number
  readonly targetMs: number
  /** What the room promises, as far as it is not promised everywhere. */
  readonly promises: readonly Promised[]
}

export type RoomFile = Readonly<Record<string, unknown>> & { readonly name: string }

/** The same for another length of time. */
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
  /** By the operator, who can do so only with a room. */
  readonly turns?: { readonly room: string; readonly settings: Readonly<Record<string, unknown>> }
}

export interface Promised {
  readonly words: string
  readonly isKept: (withRoom: Column, without: Column) => boolean
}
