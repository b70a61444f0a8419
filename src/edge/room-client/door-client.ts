/**
 * Calls the doors of one room. Each call has a time limit, and a door that did not answer is not called again at once.
 */
import type { DoorCalls } from '../../core/protocol/calls.ts'
import { within } from '../../runtime/within.ts'
import { doorStub, type Env } from '../../settings/env.ts'
import type { RoomConfig } from '../../settings/schema.ts'
import type { CallCount } from '../request/visit.ts'

/** The request on whose behalf an object is called. */
export interface Caller {
  readonly env: Env
  readonly continent: string | undefined
  readonly nowMs: number
  readonly calls: CallCount
  waitUntil(promise: Promise<unknown>): void
}

/** Returns the same caller at a later time, for work that continues after the request. */
export function callerAt(caller: Caller, nowMs: number): Caller {
  const { env, calls, continent } = caller
  return { env, calls, continent, nowMs, waitUntil: promise => caller.waitUntil(promise) }
}

/** An object that has not answered within 3 s counts as unreachable. */
export const CALL_TIMEOUT_MS = 3_000
/** An unreachable door is not called again for this long. */
const DOWN_FOR_MS = 1_000

/** A door that could not be reached in time. */
export class Unreachable extends Error {
  override name = 'Unreachable'
}

export class DoorClient {
  readonly #room: string
  readonly #counted: () => void
  readonly #downUntilMs = new Map<string, number>()

  /** `counted` is called for every call that is made through `call`. */
  constructor(room: string, counted: () => void) {
    this.#room = room
    this.#counted = counted
  }

  isDown(door: string, nowMs: number): boolean {
    return (this.#downUntilMs.get(door) ?? 0) > nowMs
  }

  noteDown(door: string, nowMs: number): void {
    this.#downUntilMs.set(door, nowMs + DOWN_FOR_MS)
  }

  /** Returns the answer of a door. Throws if it does not come within 3 s. */
  ask<Answer>({ env }: Caller, door: string, ask: (door: DoorCalls<RoomConfig>) => Promise<Answer>): Promise<Answer> {
    return inTime(ask(doorStub(env, this.#room, door)))
  }

  /**
   * Calls a door, and counts the call. The call outlives its request, because other requests may wait for the answer.
   * Throws Unreachable.
   */
  async call<Answer>(
    caller: Caller,
    door: string,
    call: (door: DoorCalls<RoomConfig>) => Promise<Answer>,
  ): Promise<Answer> {
    const nowMs = Date.now()
    if (this.isDown(door, nowMs)) throw new Unreachable(`door ${door} did not answer a moment ago`)
    caller.calls.object++
    this.#counted()
    try {
      const answer = this.ask(caller, door, call)
      caller.waitUntil(answer.catch(() => undefined))
      return await answer
    } catch (error) {
      // The time is taken now: a call that hung has used up the time since it began.
      this.noteDown(door, Date.now())
      throw new Unreachable(`door ${door}: ${String(error)}`)
    }
  }
}

export async function inTime<Value>(promise: Promise<Value>): Promise<Value> {
  const answer = await within(CALL_TIMEOUT_MS, promise)
  if (answer === 'late') throw new Unreachable(`no answer in ${CALL_TIMEOUT_MS} ms`)
  return answer
}
