import { describe, expect, it } from 'vitest'
import { lotOf } from '../../../src/core/hash.ts'
import type { HealthSnapshot } from '../../../src/core/health/effect.ts'
import type { Admitted } from '../../../src/edge/gate/verdict.ts'
import { blockFor } from '../../../src/edge/origin/block.ts'
import type { Visit } from '../../../src/edge/request/visit.ts'
import { Memory } from '../../../src/edge/room-client/memory.ts'
import { Trials } from '../../../src/edge/room-client/trials.ts'
import type { Upstream } from '../../../src/settings/compiled/health.ts'

const ORIGIN = { name: 'origin' } as Upstream
const FIVE_PERCENT = 0.05

/** One isolate's snapshot of a room whose origin is blocked or on trial. */
class Isolate {
  nowMs = 1_700_000_000_000
  /** Whether one more session may try the origin now. */
  mayTry = true
  readonly room = {
    name: 'shop',
    snapshot: null as { health: HealthSnapshot } | null,
    settings: { health: { shed: null }, isProtected: () => false },
    trials: new Trials(new Memory()),
    votes: { noteBlocked: () => undefined },
    spendOrWaitMs: () => (this.mayTry ? 0 : 1_000),
  }

  origin(state: 'open' | 'half-open'): this {
    const inside = state === 'open' ? 0 : FIVE_PERCENT
    const health = {
      reason: 'outage',
      inside,
      paused: true,
      breakers: { origin: state },
      back: {},
      retryAfterMs: 5_000,
    }
    this.room.snapshot = { health: health as HealthSnapshot }
    return this
  }

  /** Whether a page request of the session goes on to the origin. */
  goesOn(sid: string, justIn = false): boolean {
    const why = justIn ? 'claimed' : 'lease'
    this.nowMs += 100
    const visit = { nowMs: this.nowMs, kind: 'navigation', readings: { paths: ['/'] } }
    return blockFor(visit as unknown as Visit, { room: this.room, sid, why } as unknown as Admitted, [ORIGIN]) === null
  }
}

/** Sessions outside the share that a trial lets through anyway. */
const [ANA = '', BO = '', CY = ''] = Array.from({ length: 100 }, (_, i) => `session-${i}`).filter(
  sid => lotOf(sid) >= FIVE_PERCENT,
)

describe('a session that may try the origin', () => {
  it('goes on until the end of this trial, and has no advantage in the next', () => {
    const isolate = new Isolate().origin('half-open')
    expect([isolate.goesOn(ANA), isolate.goesOn(BO, true)]).toEqual([true, true])
    isolate.mayTry = false
    expect([ANA, BO, CY].map(sid => isolate.goesOn(sid))).toEqual([true, true, false])
    isolate.origin('open')
    expect([ANA, BO, CY].map(sid => isolate.goesOn(sid))).toEqual([false, false, false])
    isolate.origin('half-open')
    expect([ANA, BO, CY].map(sid => isolate.goesOn(sid))).toEqual([false, false, false])
    expect(isolate.goesOn(CY, true)).toBe(true)
    isolate.mayTry = true
    expect(isolate.goesOn(ANA)).toBe(true)
  })
})
