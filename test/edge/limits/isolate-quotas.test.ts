import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { Quotas } from '../../../src/edge/limits/isolate-quotas.ts'

const QUOTA = { intervalMs: 1_000, burst: 10 }

describe('the quotas of an isolate', () => {
  it('let one burst of each client pass, and no more', () => {
    const quotas = new Quotas()
    const passed = (who: string) =>
      Array.from({ length: 15 }, () => quotas.spend({ kind: 'preflight', who }, QUOTA, 1, 0)).filter(one => one.allowed)
        .length
    expect([passed('a'), passed('b'), passed('a')]).toEqual([10, 10, 0])
  })

  it('stay spent, however many others come', () => {
    const quotas = new Quotas(100)
    for (let i = 0; i < 10; i++) quotas.spend({ kind: 'preflight', who: 'spent' }, QUOTA, 1, 0)
    for (let i = 0; i < 10_050; i++) quotas.spend({ kind: 'preflight', who: `other ${i}` }, QUOTA, 1, 0)
    expect(quotas.spend({ kind: 'preflight', who: 'spent' }, QUOTA, 1, 0).allowed).toBe(false)
  })

  it('are shared by newcomers to a full table, so that a flood of addresses is limited', () => {
    const quotas = new Quotas(100)
    const flood = Array.from({ length: 10_000 }, (_, i) =>
      quotas.spend({ kind: 'preflight', who: `address ${i}` }, QUOTA, 1, 0),
    )
    // A hundred addresses have a quota of their own. The others share 64 quotas of ten requests each.
    expect(flood.filter(one => one.allowed).length).toBeLessThanOrEqual(100 + 64 * 10)
  })

  it('are forgotten once they are whole again', () => {
    const quotas = new Quotas(100)
    for (let i = 0; i < 100; i++) quotas.spend({ kind: 'preflight', who: `old ${i}` }, QUOTA, 1, 0)
    const later = Array.from({ length: 100 }, (_, i) =>
      quotas.spend({ kind: 'preflight', who: `new ${i}` }, QUOTA, 10, 60_000),
    )
    expect(later.every(one => one.allowed)).toBe(true)
  })

  it('never let one client exceed its bound, whatever other clients do', () => {
    const step = fc.record({ who: fc.integer({ min: 0, max: 40 }), afterMs: fc.integer({ min: 0, max: 300 }) })
    fc.assert(
      fc.property(fc.array(step, { maxLength: 300, size: 'max' }), steps => {
        const quotas = new Quotas(8)
        const passedAt = new Map<number, number[]>()
        let nowMs = 0
        for (const { who, afterMs } of steps) {
          nowMs += afterMs
          if (!quotas.spend({ kind: 'k', who: String(who) }, QUOTA, 1, nowMs).allowed) continue
          passedAt.set(who, [...(passedAt.get(who) ?? []), nowMs])
        }
        for (const times of passedAt.values()) {
          times.forEach((fromMs, first) => {
            const spanMs = (times.at(-1) ?? 0) - fromMs
            const bound = Math.floor(spanMs / QUOTA.intervalMs) + QUOTA.burst
            expect(times.length - first).toBeLessThanOrEqual(bound)
          })
        }
      }),
    )
  })
})
