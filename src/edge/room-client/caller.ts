import type { Caller } from './door-client.ts'

/** A caller whose work goes on after its request: on its behalf still, at a later time. */
export function callerAt(caller: Caller, nowMs: number): Caller {
  const { env, calls, continent } = caller
  return { env, calls, continent, nowMs, waitUntil: promise => caller.waitUntil(promise) }
}
