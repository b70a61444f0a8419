import type { Caller } from './door-client.ts'

/** Returns the same caller at a later time, for work that goes on after its request. */
export function callerAt(caller: Caller, nowMs: number): Caller {
  const { env, calls, continent } = caller
  return { env, calls, continent, nowMs, waitUntil: promise => caller.waitUntil(promise) }
}
