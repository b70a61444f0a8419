import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  admit,
  again,
  end,
  endsByTime,
  isLive,
  isPrunable,
  renewedExpiry,
  type SessionRules,
} from '../../src/core/session.ts'

const MINUTE = 60_000
const rules: SessionRules = {
  sessionMs: 4 * MINUTE,
  renewal: true,
  sessionMaxMs: null,
  reentryGraceMs: 2 * MINUTE,
  claimWindowMs: 5 * MINUTE,
}
const claim = { sid: 'eu-0.abc', key: 7_000, lane: 'main' }

/** A session admitted at 0 whose pass has come back at `atMs`. */
function returnedAt(atMs: number, with_: Partial<SessionRules> = {}) {
  const session = admit(claim, { ...rules, ...with_ }, 0)
  session.expiresMs = renewedExpiry(session, { ...rules, ...with_ }, 0, atMs)
  session.endsByTime = endsByTime(session, { ...rules, ...with_ }, session.expiresMs)
  session.returned = true
  return session
}

describe('a session', () => {
  it('ends within a minute unless its pass comes back', () => {
    const session = admit(claim, rules, 0)
    expect(session.expiresMs).toBeLessThanOrEqual(MINUTE)
    expect(session.expiresMs).toBeGreaterThan(MINUTE - 5_000)
  })

  it('shorter than a minute ends at its duration', () => {
    expect(admit(claim, { ...rules, sessionMs: 3_000 }, 0).expiresMs).toBe(3_000)
  })

  it('ends between D and 1.25 D after the last request, and renews at most four times per D', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: 3 * MINUTE }), { minLength: 1, maxLength: 40 }), gaps => {
        const session = returnedAt(1_000)
        let nowMs = 1_000
        const renewals: number[] = []
        for (const gap of gaps) {
          nowMs += gap
          const next = renewedExpiry(session, rules, 0, nowMs)
          if (next !== session.expiresMs) renewals.push(nowMs)
          session.expiresMs = next
          expect(session.expiresMs - nowMs).toBeGreaterThanOrEqual(rules.sessionMs)
          expect(session.expiresMs - nowMs).toBeLessThanOrEqual(1.25 * rules.sessionMs)
        }
        for (const from of renewals) {
          const within = renewals.filter(at => at >= from && at < from + rules.sessionMs)
          expect(within.length).toBeLessThanOrEqual(4)
        }
      }),
    )
  })

  it('is not prolonged by requests when renewal is off', () => {
    const session = returnedAt(30_000, { renewal: false })
    expect(session.expiresMs).toBe(4 * MINUTE)
    expect(renewedExpiry(session, { ...rules, renewal: false }, 0, 3 * MINUTE)).toBe(4 * MINUTE)
  })

  it('ends at its maximum however busy its visitor is', () => {
    const limited = { ...rules, sessionMaxMs: 10 * MINUTE }
    expect(renewedExpiry(returnedAt(1_000), limited, 0, 8 * MINUTE)).toBe(10 * MINUTE)
  })

  it('lasts through a payment, also beyond its maximum', () => {
    const limited = { ...rules, sessionMaxMs: 5 * MINUTE }
    expect(renewedExpiry(returnedAt(1_000), limited, 15 * MINUTE, 4 * MINUTE)).toBe(19 * MINUTE)
  })

  it('that was ended keeps its place until no edge can hold a lease', () => {
    const session = returnedAt(1_000)
    end(session, 'revoked', rules, 20_000)
    expect(isLive(session, 20_001)).toBe(false)
    expect(session.expiresMs).toBe(30_000)
  })
})

describe('coming back', () => {
  it('leads to the same place at the front each time, for two minutes after the session ended by itself', () => {
    const session = returnedAt(1_000)
    const endMs = session.expiresMs
    expect(again(session, rules, endMs + 1)).toEqual({ sid: 'eu-0.abc~1', key: 7_000, lane: 'main' })
    expect(again(session, rules, endMs + 2 * MINUTE)).toEqual({ sid: 'eu-0.abc~1', key: 7_000, lane: 'main' })
    expect(again(session, rules, endMs + 2 * MINUTE + 1)).toBeNull()
  })

  it.each([{ renewal: false }, { sessionMaxMs: 4 * MINUTE }])(
    'does not lead to the front after an end by time, with %o',
    more => {
      const session = returnedAt(1_000, more)
      expect(session.expiresMs).toBe(4 * MINUTE)
      expect(again(session, { ...rules, ...more }, session.expiresMs + 1)).toBeNull()
    },
  )

  it('does not lead to the front after an end by time that a payment or an outage has moved', () => {
    const limited = { ...rules, sessionMaxMs: 5 * MINUTE }
    const session = returnedAt(1_000, limited)
    const expiresMs = renewedExpiry(session, limited, 15 * MINUTE, 4 * MINUTE)
    expect(endsByTime(session, limited, expiresMs)).toBe(true)
    expect(endsByTime(session, limited, 5 * MINUTE + 30_000)).toBe(true)
  })

  it('leads to the front in a room without renewals if the session ended before its pass came back', () => {
    const fixed = { ...rules, renewal: false }
    const session = admit(claim, fixed, 0)
    expect(session.expiresMs).toBeLessThan(MINUTE)
    expect(again(session, fixed, session.expiresMs + 1)).not.toBeNull()
    const short = admit(claim, { ...fixed, sessionMs: 12_000 }, 0)
    expect(again(short, fixed, short.expiresMs + 1)).toBeNull()
  })

  it('does not lead to the front twice in a row', () => {
    const session = admit({ ...claim, sid: 'eu-0.abc~1' }, rules, 0)
    expect(again(session, rules, session.expiresMs + 1)).toBeNull()
  })

  it('counts the sessions of one visitor', () => {
    // The fourth session of an invitation, claimed with the sid of its ticket.
    const session = admit({ ...claim, sid: 'eu-0.abc~3' }, rules, 0, 'eu-0.abc')
    expect(again(session, rules, session.expiresMs)?.sid).toBe('eu-0.abc~4')
  })

  it.each(['left', 'revoked'] as const)('does not lead to the front after a session that was %s', how => {
    const session = returnedAt(1_000)
    end(session, how, rules, 20_000)
    expect(again(session, rules, 31_000)).toBeNull()
  })
})

describe('forgetting', () => {
  it('waits until the key has lapsed for so long that no ticket with it can be claimed', () => {
    const session = returnedAt(1_000)
    const longAfter = session.expiresMs + 60 * MINUTE
    expect(isPrunable(session, 6_999, rules, longAfter)).toBe(false)
    expect(isPrunable(session, 7_000, rules, longAfter)).toBe(true)
    expect(isPrunable(session, 7_000, rules, session.expiresMs + MINUTE)).toBe(false)
  })

  it('waits until no ticket that was refused before the session began can be claimed', () => {
    const session = admit(claim, rules, 0)
    // The session ends within a minute. A place at the front is given for two minutes, and valid for five.
    expect(isPrunable(session, 7_000, rules, 7 * MINUTE)).toBe(false)
    expect(isPrunable(session, 7_000, rules, 7 * MINUTE + 11_000)).toBe(true)
  })
})
