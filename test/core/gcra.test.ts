import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type Quota, spend } from '../../src/core/gcra.ts'

describe('spend', () => {
  it('passes a burst at once, then one cell per interval', () => {
    const quota = { intervalMs: 2_000, burst: 3 }
    let tatMs = 0
    const at = (nowMs: number) => {
      const verdict = spend(quota, tatMs, 1, nowMs)
      tatMs = verdict.tatMs
      return verdict.allowed ? `allowed, ${verdict.remaining} left` : `refused for ${verdict.retryAfterMs}`
    }
    expect([at(10_000), at(10_000), at(10_000)]).toEqual(['allowed, 2 left', 'allowed, 1 left', 'allowed, 0 left'])
    expect(at(10_000)).toBe('refused for 2000')
    expect(at(11_999)).toBe('refused for 1')
    expect(at(12_000)).toBe('allowed, 0 left')
  })

  it('returns an infinite wait for a cost above the burst', () => {
    expect(spend({ intervalMs: 100, burst: 5 }, 0, 6, 0)).toEqual({
      allowed: false,
      tatMs: 0,
      retryAfterMs: Number.POSITIVE_INFINITY,
    })
  })

  it('is stricter, never looser, when the clock goes back', () => {
    const quota = { intervalMs: 1_000, burst: 1 }
    const { tatMs } = spend(quota, 0, 1, 50_000)
    expect(spend(quota, tatMs, 1, 40_000)).toMatchObject({ allowed: false, retryAfterMs: 11_000 })
  })

  const quotas = fc.record({ intervalMs: fc.integer({ min: 1, max: 5_000 }), burst: fc.integer({ min: 1, max: 20 }) })
  const gaps = fc.array(fc.integer({ min: 0, max: 8_000 }), { maxLength: 60 })

  it('passes at most floor(window / interval) + burst cells in any window', () => {
    fc.assert(
      fc.property(quotas, gaps, (quota, between) => {
        const passed = allowedTimes(quota, between)
        passed.forEach((startMs, first) => {
          passed.slice(first).forEach((endMs, index) => {
            expect(index + 1).toBeLessThanOrEqual(Math.floor((endMs - startMs) / quota.intervalMs) + quota.burst)
          })
        })
      }),
    )
  })

  it('returns exactly when the same spend would pass', () => {
    fc.assert(
      fc.property(
        quotas,
        fc.nat(100_000),
        fc.nat(100_000),
        fc.integer({ min: 1, max: 20 }),
        (quota, tatMs, nowMs, cost) => {
          const verdict = spend(quota, tatMs, cost, nowMs)
          if (verdict.allowed || verdict.retryAfterMs === Number.POSITIVE_INFINITY) return
          expect(spend(quota, tatMs, cost, nowMs + verdict.retryAfterMs - 1).allowed).toBe(false)
          expect(spend(quota, tatMs, cost, nowMs + verdict.retryAfterMs).allowed).toBe(true)
        },
      ),
    )
  })
})

function allowedTimes(quota: Quota, gaps: readonly number[]): number[] {
  let tatMs = 0
  let nowMs = 1_000_000
  const passed: number[] = []
  for (const gap of gaps) {
    nowMs += gap
    const verdict = spend(quota, tatMs, 1, nowMs)
    tatMs = verdict.tatMs
    if (verdict.allowed) passed.push(nowMs)
  }
  return passed
}
