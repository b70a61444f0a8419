/**
 * The room's hints to its doors that they should report now. A door that misses a hint gets the news with its next
 * sync.
 */
import { outstanding } from '../core/permits/bank.ts'
import type { DoorRecord } from '../core/room/room.ts'
import { within } from '../runtime/within.ts'
import { doorStub, type Env } from '../settings/env.ts'
import type { RoomLog } from './log.ts'

/** A change of the budget waits at most this long for the doors' reports, because it must be in force soon (I10). */
const REPORTED_WITHIN_MS = 1_000
/**
 * A door in use reports each second. A door that has been silent for longer than this has no edge to inform, and gets
 * the news with its next sync. A hint would wake its object for nothing, and a room may have had hundreds of doors.
 */
const IN_USE_FOR_MS = 60_000

export class DoorHints {
  readonly #ctx: DurableObjectState
  readonly #env: Env
  readonly #log: RoomLog
  readonly #doors: ReadonlyMap<string, DoorRecord>

  constructor(ctx: DurableObjectState, env: Env, log: RoomLog, doors: ReadonlyMap<string, DoorRecord>) {
    this.#ctx = ctx
    this.#env = env
    this.#log = log
    this.#doors = doors
  }

  /** Sends a hint in the background. */
  send(door: string): void {
    this.#ctx.waitUntil(this.#nudge(door).catch((error: unknown) => this.#log.doorSilent(door, error)))
  }

  /** Sends a hint to each door that is in use. */
  sendToAll(nowMs: number): void {
    for (const [door, { reportedAtMs }] of this.#doors) if (nowMs - reportedAtMs < IN_USE_FOR_MS) this.send(door)
  }

  /**
   * Waits until doors have reported the permits that they have spent, because a new budget must not count those
   * admissions. The wait is short. If a door cannot be reached, its outstanding permits may still be counted.
   */
  async collectSpent(): Promise<void> {
    const owing = [...this.#doors].filter(([, door]) => outstanding(door) > 0)
    const reported = owing.map(([name]) => this.#nudge(name))
    if (reported.length > 0) await within(REPORTED_WITHIN_MS, Promise.allSettled(reported))
  }

  #nudge(door: string): Promise<void> {
    return doorStub(this.#env, this.#log.room, door).nudge()
  }
}
