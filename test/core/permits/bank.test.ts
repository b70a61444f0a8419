import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type Bank, burstOf, fill, grantable, newAccount, outstanding, settle } from '../../../src/core/permits/bank.ts'

const limits = (ratePerMinute: number, totalActiveUsers = 1_000_000) => ({ ratePerMinute, totalActiveUsers })

describe('the bank', () => {
  it('fills at the rate, up to the permits of five seconds', () => {
    const bank: Bank = { banked: 0, filledAtMs: 0 }
    fill(bank, 0, limits(600), 1_000)
    expect(bank.banked).toBe(10)
    fill(bank, 0, limits(600), 60_000)
    expect(bank.banked).toBe(50)
  })

  it('holds at least three permits, so that a slow room does not stutter', () => {
    expect(burstOf(1)).toBe(3)
    expect(burstOf(600)).toBe(50)
  })

  it('keeps room for outstanding permits when it fills', () => {
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

  it('grants whole permits, and none at a rate of zero or without a free place', () => {
    const bank: Bank = { banked: 2.9, filledAtMs: 0 }
    expect(grantable(bank, 0, 0, limits(60))).toBe(2)
    expect(grantable(bank, 0, 0, limits(0))).toBe(0)
    expect(grantable(bank, 90, 9, limits(60, 100))).toBe(1)
    expect(grantable(bank, 100, 9, limits(60, 100))).toBe(0)
  })
})

describe('a door account', () => {
  it('gives returned permits back to the bank, but not spent ones', () => {
    const bank: Bank = { banked: 0, filledAtMs: 0 }
    const account = { ...newAccount(0), epoch: 1, granted: 10 }
    expect(settle(bank, account, { epoch: 1, seq: 2, spent: 6, returned: 3, live: 6 }, 5)).toBe(6)
    expect([bank.banked, outstanding(account), account.live]).toEqual([3, 1, 6])
  })

  it('loses its outstanding permits when the door restarts', () => {
    const bank: Bank = { banked: 0, filledAtMs: 0 }
    const account = { ...newAccount(0), epoch: 1, granted: 10, spent: 2, live: 2 }
    settle(bank, account, { epoch: 2, seq: 1, spent: 0, returned: 0, live: 5 }, 5)
    expect([bank.banked, outstanding(account), account.live]).toEqual([0, 0, 5])
  })

  it('ignores lower totals in a report: totals only grow', () => {
    const bank: Bank = { banked: 0, filledAtMs: 0 }
    const account = { ...newAccount(0), epoch: 1, granted: 10, spent: 6, returned: 3 }
    expect(settle(bank, account, { epoch: 1, seq: 3, spent: 4, returned: 1, live: 6 }, 5)).toBe(0)
    expect([bank.banked, outstanding(account)]).toEqual([0, 1])
  })

  it('keeps banked and outstanding permits within the burst, whatever happens in any order', () => {
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
          fill(bank, outstanding(account), rules, nowMs)
          const { epoch, spent, returned, live } = account
          const said = { epoch, seq: account.seq + 1, spent, returned, live }
          if (one.kind === 'rate') {
            rules = limits(one.ratePerMinute)
            largestBurst = Math.max(largestBurst, burstOf(one.ratePerMinute))
          } else if (one.kind === 'grant') {
            const granted = Math.floor(grantable(bank, account.live, outstanding(account), rules) * one.share)
            account.granted += granted
            bank.banked -= granted
          } else if (one.kind === 'spend') {
            settle(bank, account, { ...said, spent: spent + Math.floor(outstanding(account) * one.share) }, nowMs)
          } else if (one.kind === 'return') {
            settle(bank, account, { ...said, returned: returned + Math.floor(outstanding(account) * one.share) }, nowMs)
          } else if (one.kind === 'restart') {
            settle(bank, account, { epoch: epoch + 1, seq: 1, spent: 0, returned: 0, live }, nowMs)
          }
          expect(bank.banked).toBeGreaterThanOrEqual(-1e-9)
          expect(outstanding(account)).toBeGreaterThanOrEqual(0)
          expect(bank.banked + outstanding(account)).toBeLessThanOrEqual(largestBurst + 1e-6)
        }
      }),
      { numRuns: 1_000 },
    )
  })

  it('keeps admissions to the rate and one burst in any window, while doors die, go silent and repeat reports', () => {
    const doors = fc.nat(2)
    const step = fc.oneof(
      fc.record({ kind: fc.constant('wait' as const), ms: fc.integer({ min: 0, max: 8_000 }) }),
      // The clock of the room goes back, and later forward again. Windows are measured by its latest time so far.
      fc.record({ kind: fc.constant('clock' as const), ms: fc.integer({ min: -20_000, max: 0 }) }),
      fc.record({
        kind: fc.constant('grant' as const),
        door: doors,
        share: fc.double({ min: 0, max: 1, noNaN: true }),
      }),
      fc.record({
        kind: fc.constant('enter' as const),
        door: doors,
        share: fc.double({ min: 0, max: 1, noNaN: true }),
      }),
      fc.record({ kind: fc.constant('report' as const), door: doors, returns: fc.boolean() }),
      fc.record({ kind: fc.constant('repeat' as const), door: doors }),
      fc.record({ kind: fc.constant('die' as const), door: doors }),
    )
    fc.assert(
      fc.property(fc.array(step, { maxLength: 120 }), steps => {
        const rules = limits(600)
        const bank: Bank = { banked: 0, filledAtMs: 0 }
        const rooms = [0, 1, 2].map(() => ({ ...newAccount(0), epoch: 1 }))
        const real = [0, 1, 2].map(() => ({ epoch: 1, spent: 0, returned: 0 }))
        const out = () => rooms.reduce((sum, account) => sum + outstanding(account), 0)
        const entered: number[] = []
        let [nowMs, offMs] = [0, 0]
        const say = (door: number) => {
          const { epoch, spent, returned } = real[door] as (typeof real)[number]
          const account = rooms[door] as (typeof rooms)[number]
          settle(bank, account, { epoch, seq: account.seq + 1, spent, returned, live: 0 }, nowMs + offMs)
        }
        for (const one of steps) {
          if (one.kind === 'wait') nowMs += one.ms
          else if (one.kind === 'clock') offMs = one.ms
          fill(bank, out(), rules, nowMs + offMs)
          if (one.kind === 'wait' || one.kind === 'clock') continue
          const door = real[one.door] as (typeof real)[number]
          const account = rooms[one.door] as (typeof rooms)[number]
          const usable = account.epoch === door.epoch ? account.granted - door.spent - door.returned : 0
          if (one.kind === 'grant' && account.epoch === door.epoch) {
            const granted = Math.floor(grantable(bank, 0, out(), rules) * one.share)
            account.granted += granted
            bank.banked -= granted
          } else if (one.kind === 'enter') {
            const people = Math.floor(usable * one.share)
            door.spent += people
            for (let i = 0; i < people; i++) entered.push(bank.filledAtMs)
          } else if (one.kind === 'report') {
            if (one.returns) door.returned += usable
            say(one.door)
          } else if (one.kind === 'repeat') say(one.door)
          else if (one.kind === 'die') Object.assign(door, { epoch: door.epoch + 1, spent: 0, returned: 0 })
        }
        // The bound is ten a second and a burst of fifty.
        let level = 0
        let atMs = 0
        for (const enteredMs of entered) {
          level = Math.max(0, level - (enteredMs - atMs) / 100) + 1
          atMs = enteredMs
          expect(level).toBeLessThanOrEqual(50 + 1e-6)
        }
      }),
      { numRuns: 1_000 },
    )
  })
})
