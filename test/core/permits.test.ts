import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type Bank, burstOf, fill, grantable, newAccount, outOf, settle } from '../../src/core/permits.ts'

const limits = (ratePerMinute: number, totalActiveUsers = 1_000_000) => ({ ratePerMinute, totalActiveUsers })

describe('the bank', () => {
  it('fills at the rate, up to five seconds of it', () => {
    const bank: Bank = { banked: 0, filledAtMs: 0 }
    fill(bank, 0, limits(600), 1_000)
    expect(bank.banked).toBe(10)
    fill(bank, 0, limits(600), 60_000)
    expect(bank.banked).toBe(50)
  })

  it('holds three permits at least, so that a slow room is not stuttering', () => {
    expect(burstOf(1)).toBe(3)
    expect(burstOf(600)).toBe(50)
  })

  it('does not fill what a permit that is out would have used', () => {
    const bank: Bank = { banked: 0, filledAtMs: 0 }
    fill(bank, 45, limits(600), 60_000)
    expect(bank.banked).toBe(5)
  })

  it('fills nothing while the clock is behind', () => {
    const bank: Bank = { banked: 0, filledAtMs: 10_000 }
    fill(bank, 0, limits(600), 4_000)
    fill(bank, 0, limits(600), 10_000)
    expect(bank.banked).toBe(0)
  })

  it('grants whole permits, none while held, none without a place', () => {
    const bank: Bank = { banked: 2.9, filledAtMs: 0 }
    expect(grantable(bank, 0, 0, limits(60))).toBe(2)
    expect(grantable(bank, 0, 0, limits(0))).toBe(0)
    expect(grantable(bank, 90, 9, limits(60, 100))).toBe(1)
    expect(grantable(bank, 100, 9, limits(60, 100))).toBe(0)
  })
})

describe('a door account', () => {
  it('gives returned permits back to the bank, and spent ones to nobody', () => {
    const bank: Bank = { banked: 0, filledAtMs: 0 }
    const account = { ...newAccount(0), epoch: 1, granted: 10 }
    expect(settle(bank, account, { epoch: 1, seq: 2, spent: 6, returned: 3, live: 6 }, 5)).toBe(6)
    expect([bank.banked, outOf(account), account.live]).toEqual([3, 1, 6])
  })

  it('loses what was out when the door begins a new life', () => {
    const bank: Bank = { banked: 0, filledAtMs: 0 }
    const account = { ...newAccount(0), epoch: 1, granted: 10, spent: 2, live: 2 }
    settle(bank, account, { epoch: 2, seq: 1, spent: 0, returned: 0, live: 5 }, 5)
    expect([bank.banked, outOf(account), account.live]).toEqual([0, 0, 5])
  })

  it('cannot be talked into more: totals only grow', () => {
    const bank: Bank = { banked: 0, filledAtMs: 0 }
    const account = { ...newAccount(0), epoch: 1, granted: 10, spent: 6, returned: 3 }
    expect(settle(bank, account, { epoch: 1, seq: 3, spent: 4, returned: 1, live: 6 }, 5)).toBe(0)
    expect([bank.banked, outOf(account)]).toEqual([0, 1])
  })

  it('keeps banked and out within the burst, whatever happens in which order', () => {
    const step = fc.oneof(
      fc.record({ kind: fc.constant('wait' as const), ms: fc.integer({ min: -5_000, max: 20_000 }) }),
      fc.record({ kind: fc.constant('rate' as const), ratePerMinute: fc.integer({ min: 0, max: 3_000 }) }),
      fc.record({ kind: fc.constant('grant' as const), share: fc.double({ min: 0, max: 1, noNaN: true }) }),
      fc.record({ kind: fc.constant('spend' as const), share: fc.double({ min: 0, max: 1, noNaN: true }) }),
      fc.record({ kind: fc.constant('return' as const), share: fc.double({ min: 0, max: 1, noNaN: true }) }),
      fc.record({ kind: fc.constant('restart' as const) }),
    )
    fc.assert(
      fc.property(fc.array(step, { maxLength: 80 }), steps => {
        const bank: Bank = { banked: 0, filledAtMs: 0 }
        const account = { ...newAccount(0), epoch: 1 }
        let rules = limits(600)
        let nowMs = 0
        let largestBurst = burstOf(600)
        for (const one of steps) {
          if (one.kind === 'wait') nowMs += one.ms
          fill(bank, outOf(account), rules, nowMs)
          const { epoch, spent, returned, live } = account
          const said = { epoch, seq: account.seq + 1, spent, returned, live }
          if (one.kind === 'rate') {
            rules = limits(one.ratePerMinute)
            largestBurst = Math.max(largestBurst, burstOf(one.ratePerMinute))
          } else if (one.kind === 'grant') {
            const granted = Math.floor(grantable(bank, account.live, outOf(account), rules) * one.share)
            account.granted += granted
            bank.banked -= granted
          } else if (one.kind === 'spend') {
            settle(bank, account, { ...said, spent: spent + Math.floor(outOf(account) * one.share) }, nowMs)
          } else if (one.kind === 'return') {
            settle(bank, account, { ...said, returned: returned + Math.floor(outOf(account) * one.share) }, nowMs)
          } else if (one.kind === 'restart') {
            settle(bank, account, { epoch: epoch + 1, seq: 1, spent: 0, returned: 0, live }, nowMs)
          }
          expect(bank.banked).toBeGreaterThanOrEqual(0)
          expect(outOf(account)).toBeGreaterThanOrEqual(0)
          expect(bank.banked + outOf(account)).toBeLessThanOrEqual(largestBurst + 1e-6)
        }
      }),
      { numRuns: 1_000 },
    )
  })
})
