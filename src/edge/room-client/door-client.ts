/** The doors of one room as an isolate calls them: with a bound on the wait, and not again at once where nobody answered. */
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

/** An object that has not answered by then is taken for unreachable. */
export const CALL_TIMEOUT_MS = 3_000
/** An unreachable door is not called again for this long. */
const DOWN_FOR_MS = 1_000

/** A door that could not be reached in time. */
export class Unreachable extends Error {
  override name = 'Unreachable'
}

export class Doors {
  readonly #room: string
  readonly #counted: () => void
  readonly #downUntilMs = new Map<string, number>()

  /** `counted` is told of every call that a request waits for. */
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

  /** The answer of a door, whose lateness is a failure. */
  ask<Answer>({ env }: Caller, door: string, ask: (door: DoorCalls<RoomConfig>) => Promise<Answer>): Promise<Answer> {
    return inTime(ask(doorStub(env, this.#room, door)))
  }

  /** A call that outlives its request, for others may wait for it; it is counted where it is made. */
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
      // From now on: by a call that hung the time from its beginning is over.
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
