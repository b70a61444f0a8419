import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type Quota, quotaOf } from '../../../src/core/gcra.ts'
import { noteGrant, noteNoAnswer } from '../../../src/core/limits/answers.ts'
import { lend, newDebt } from '../../../src/core/limits/debt.ts'
import { type DebtStore, Ledger, type StoredDebt } from '../../../src/core/limits/ledger.ts'
import {
  beginWait,
  endWait,
  newTokenLease,
  nextRequest,
  returnTokens,
  type TokenLease,
  takeTokens as take,
  tokensLeft,
} from '../../../src/core/limits/token-lease.ts'
import type { TokenRequest } from '../../../src/core/protocol/messages.ts'
import { Random } from '../../../tools/simulation/random.ts'

const LEASE_MS = 10_000
const termAt = (nowMs: number) => ({ leaseMs: LEASE_MS, nowMs })
const START_MS = 1_790_000_000_000

const ask = (more: Partial<TokenRequest> = {}): TokenRequest => ({
  ...{ lease: 'a', nth: 1, policy: 'api', bucket: 'api', used: 0, has: 0, want: 1, least: 1, spare: 0 },
  ...more,
})

describe('a debt with leases', () => {
  const quota = quotaOf(60, 60_000, 10)

  it('lends what is wanted, and at most half of the rest as spare tokens', () => {
    const debt = newDebt(quota)
    expect(lend(debt, quota, ask({ want: 2, spare: 100 }), termAt(START_MS))).toEqual({
      tokens: 6,
      remaining: 4,
      retryAfterMs: 0,
    })
  })

  it('does not drain tokens while they are lent out', () => {
    const debt = newDebt(quota)
    lend(debt, quota, ask({ want: 10 }), termAt(START_MS))
    expect(lend(debt, quota, ask({ lease: 'b' }), termAt(START_MS + 10_999)).tokens).toBe(0)
    // The lease and its grace end after 11 s. All tokens are charged then, and one has drained a second later.
    expect(lend(debt, quota, ask({ lease: 'c' }), termAt(START_MS + 12_000)).tokens).toBe(1)
  })

  it('drains reported tokens and frees returned ones', () => {
    const debt = newDebt(quota)
    lend(debt, quota, ask({ want: 10 }), termAt(START_MS))
    lend(debt, quota, ask({ nth: 2, used: 4, has: 0, want: 0 }), termAt(START_MS + 1_000))
    expect(lend(debt, quota, ask({ lease: 'b', want: 7 }), termAt(START_MS + 1_000)).tokens).toBe(6)
    expect(lend(debt, quota, ask({ lease: 'c', want: 2 }), termAt(START_MS + 3_000)).tokens).toBe(2)
  })

  it('grants a repeated request once, and returns the same answer again', () => {
    const debt = newDebt(quota)
    const first = lend(debt, quota, ask({ want: 4 }), termAt(START_MS))
    expect(lend(debt, quota, ask({ want: 4 }), termAt(START_MS + 5))).toBe(first)
    expect(lend(debt, quota, ask({ lease: 'b', want: 10 }), termAt(START_MS + 5)).tokens).toBe(6)
  })

  it('takes back a grant whose answer was lost', () => {
    const debt = newDebt(quota)
    lend(debt, quota, ask({ want: 8 }), termAt(START_MS))
    expect(lend(debt, quota, ask({ nth: 2, want: 8 }), termAt(START_MS + 5)).tokens).toBe(8)
  })

  it('returns to the millisecond when a refused request would pass, if no report comes before', () => {
    const debt = newDebt(quota)
    lend(debt, quota, ask({ want: 10 }), termAt(START_MS))
    const { retryAfterMs } = lend(debt, quota, ask({ lease: 'b' }), termAt(START_MS))
    expect(retryAfterMs).toBe(12_000)
  })

  it('returns an infinite wait for a request that costs more than the burst', () => {
    expect(lend(newDebt(quota), quota, ask({ want: 11, least: 11 }), termAt(START_MS))).toMatchObject({
      tokens: 0,
      retryAfterMs: Number.POSITIVE_INFINITY,
    })
  })

  it('keeps its tokens when the interval changes, capped at the new burst', () => {
    const debt = newDebt(quota)
    lend(debt, quota, ask({ owed: 8, want: 0 }), termAt(START_MS))
    const slower = quotaOf(6, 60_000, 10)
    expect(lend(debt, slower, ask({ lease: 'b', want: 3 }), termAt(START_MS)).tokens).toBe(2)
    const strict = quotaOf(1, 60_000, 1)
    const other = newDebt(quota)
    lend(other, quota, ask({ owed: 8, want: 0 }), termAt(START_MS))
    expect(lend(other, strict, ask({ lease: 'b' }), termAt(START_MS)).retryAfterMs).toBe(60_000)
  })

  it('charges a debt beyond the burst in full', () => {
    const debt = newDebt(quota)
    lend(debt, quota, ask({ owed: 25, want: 0 }), termAt(START_MS))
    expect(lend(debt, quota, ask({ lease: 'b' }), termAt(START_MS)).retryAfterMs).toBe(16_000)
  })
})

describe('a ledger', () => {
  const quotas: Record<string, Quota> = { fast: quotaOf(600, 60_000, 200), slow: quotaOf(3, 3_600_000, 3) }
  const quotaFor = (policy: string) => quotas[policy]

  function memory(): DebtStore & { rows: Map<string, StoredDebt>; writes: number } {
    const rows = new Map<string, StoredDebt>()
    const store = {
      rows,
      writes: 0,
      load: (sid: string) => [...rows].filter(([id]) => id.startsWith(`${sid} `)).map(([, row]) => row),
      save: (sid: string, row: StoredDebt) => {
        store.writes++
        rows.set(`${sid} ${row.bucket}`, row)
      },
    }
    return store
  }
  const of = (policy: string, more: Partial<TokenRequest> = {}) => ask({ policy, bucket: policy, ...more })

  it('writes nothing for debts that drain within ten seconds', () => {
    const store = memory()
    const ledger = new Ledger(store)
    ledger.lend('sid', [of('fast', { want: 100 })], quotaFor, termAt(START_MS))
    expect(store.writes).toBe(0)
    ledger.lend('sid', [of('fast', { nth: 2, want: 1, has: 100 })], quotaFor, termAt(START_MS))
    expect(store.writes).toBe(1)
  })

  it('that lost its memory still refuses a session that owed more than ten seconds', () => {
    const store = memory()
    const before = new Ledger(store).lend('sid', [of('slow', { want: 3 })], quotaFor, termAt(START_MS))
    const after = new Ledger(store).lend('sid', [of('slow', { lease: 'b', want: 3 })], quotaFor, termAt(START_MS + 5))
    expect([before[0]?.tokens, after[0]?.tokens]).toEqual([3, 0])
    const other = new Ledger(store).lend('other', [of('slow')], quotaFor, termAt(START_MS))
    expect(other[0]?.tokens).toBe(1)
  })

  it('keeps a bounded number of sessions in memory and stores the one that was quiet for longest', () => {
    const store = memory()
    const ledger = new Ledger(store, 10)
    for (let i = 0; i < 25; i++) ledger.lend(`sid${i}`, [of('fast', { want: 50 })], quotaFor, termAt(START_MS + i))
    expect([ledger.size, store.rows.size]).toEqual([10, 15])
    const back = ledger.lend('sid0', [of('fast', { lease: 'b', want: 200 })], quotaFor, termAt(START_MS + 30))
    // The debt was stored as if the whole lease had been used.
    expect(back[0]?.tokens).toBeLessThan(150)
  })

  /** The tokens that one session gets on path `i`, under a policy that counts each path by itself. */
  const onPath = (ledger: Ledger, policy: 'slow' | 'fast', i: number, atMs = START_MS) =>
    ledger.lend('sid', [of(policy, { lease: `l${i}`, bucket: `${policy}/${i}`, want: 3 })], quotaFor, termAt(atMs))[0]
      ?.tokens

  it('limits each of 256 paths by itself, and all further paths together', () => {
    const ledger = new Ledger(memory())
    const asked = (i: number) => onPath(ledger, 'slow', i)
    expect(Array.from({ length: 256 }, (_, i) => asked(i)).every(tokens => tokens === 3)).toBe(true)
    expect([asked(256), asked(257), asked(1_000)]).toEqual([3, 0, 0])
  })

  it('forgets drained paths even if no isolate reports their leases again', () => {
    const ledger = new Ledger(memory())
    const asked = (i: number) => onPath(ledger, 'fast', i, START_MS + i * 60_000)
    expect(Array.from({ length: 600 }, (_, i) => asked(i)).every(tokens => tokens === 3)).toBe(true)
  })

  it('forgets sessions that owe nothing any more, while others come', () => {
    const ledger = new Ledger(memory())
    for (let i = 0; i < 1_000; i++)
      ledger.lend(`sid${i}`, [of('fast', { want: 3 })], quotaFor, termAt(START_MS + i * 10_000))
    expect(ledger.size).toBeLessThan(20)
  })

  it('limits no session by a policy that it does not have yet', () => {
    expect(new Ledger(memory()).lend('sid', [of('new', { want: 7 })], quotaFor, termAt(START_MS))).toEqual([
      { tokens: 7, remaining: 0, retryAfterMs: 0 },
    ])
  })
})

/** The fate of one token request in a network that loses, repeats and delays messages. */
interface Fate {
  readonly thereMs: number
  readonly backMs: number
  readonly lost: boolean
  readonly answerLost: boolean
  readonly doubledMs: number
}

interface Step {
  readonly gapMs: number
  readonly edge: number
  readonly cost: number
  readonly what: 'request' | 'renew' | 'idle' | 'clock back'
  readonly fate: Fate
}

/** Four hundred steps of a rough network: bursts of requests, pauses, answers that are late, lost or repeated. */
function scriptOf(seed: number): Step[] {
  const random = new Random(seed)
  const upTo = (most: number) => Math.floor(random.next() * (most + 1))
  const is = (share: number) => random.next() < share
  const slowMs = is(0.5) ? 60 : 6_000
  let edge = 0
  return Array.from({ length: 400 }, () => {
    if (is(0.3)) edge = upTo(3)
    const what = is(0.9) ? 'request' : is(0.6) ? 'renew' : is(0.8) ? 'idle' : 'clock back'
    const gapMs = is(0.85) ? upTo(40) : is(0.7) ? upTo(3_000) : upTo(is(0.8) ? 14_000 : 40_000)
    const fate = {
      thereMs: upTo(is(0.7) ? 30 : slowMs),
      backMs: upTo(is(0.7) ? 30 : slowMs),
      lost: is(0.08),
      answerLost: is(0.08),
      doubledMs: is(0.2) ? upTo(20_000) : 0,
    }
    return { gapMs, edge, cost: is(0.8) ? 1 : 2, what, fate }
  })
}

const policies = fc.record({
  count: fc.integer({ min: 1, max: 120 }),
  periodMs: fc.constantFrom(1_000, 10_000, 60_000),
  burst: fc.integer({ min: 2, max: 30 }),
})

/** Plays a session over four edges with separate clocks. Returns the true times at which tokens were used. */
function run(quota: Quota, script: readonly Step[], clocksDiffer: boolean): number[] {
  const debt = newDebt(quota)
  const edges = Array.from({ length: 4 }, (_, i) => ({
    lease: newTokenLease('api', 'api', quota, `edge${i}`),
    offsetMs: clocksDiffer ? (i - 1) * 1_500 : 0,
  }))
  const agenda: { atMs: number; order: number; act: (nowMs: number) => void }[] = []
  let order = 0
  const at = (atMs: number, act: (nowMs: number) => void) => agenda.push({ atMs, order: order++, act })
  const used: number[] = []
  let wentBackAtMs = 0

  const send = (
    edge: (typeof edges)[number],
    fate: Fate,
    sent: TokenRequest,
    nowMs: number,
    then: (nowMs: number) => void,
  ) => {
    const { lease } = edge
    const sentMs = nowMs + edge.offsetMs
    const arrive = (doorMs: number, answers: boolean) => {
      const grant = lend(debt, quota, sent, termAt(doorMs))
      if (!answers || fate.answerLost) return
      at(doorMs + fate.backMs, backMs => {
        noteGrant(lease, sent, grant, { sentMs, leaseMs: LEASE_MS, nowMs: backMs + edge.offsetMs })
        then(backMs)
      })
    }
    if (fate.lost || fate.answerLost) at(nowMs + 8_000, () => noteNoAnswer(lease, sent))
    if (fate.lost) return
    at(nowMs + fate.thereMs, doorMs => arrive(doorMs, true))
    if (fate.doubledMs > 0) at(nowMs + fate.doubledMs, doorMs => arrive(doorMs, false))
  }
  const use = (edge: { lease: TokenLease; offsetMs: number }, cost: number, nowMs: number) => {
    if (tokensLeft(edge.lease, nowMs + edge.offsetMs) < cost) return false
    take(edge.lease, cost, nowMs + edge.offsetMs)
    for (let i = 0; i < cost; i++) used.push(nowMs)
    return true
  }

  let nowMs = START_MS
  for (const { gapMs, edge: which, cost, what, fate } of script) {
    nowMs += gapMs
    at(nowMs, atMs => {
      const edge = edges[which] as (typeof edges)[number]
      const { lease } = edge
      const local = () => atMs + edge.offsetMs
      if (what === 'clock back') {
        // The clock steps back at most once in two leases (20 s). A real clock does not do so more often.
        if (atMs - wentBackAtMs > 2 * LEASE_MS) edge.offsetMs -= 900
        wentBackAtMs = atMs
      } else if (what === 'idle') send(edge, fate, returnTokens(lease, local()), atMs, () => undefined)
      else if (what === 'renew') send(edge, fate, nextRequest(lease, quota, 1, local()), atMs, () => undefined)
      else if (!use(edge, cost, atMs) && lease.refusedUntilMs <= local()) {
        beginWait(lease, cost, local())
        send(edge, fate, nextRequest(lease, quota, cost, local()), atMs, backMs => {
          endWait(lease, cost)
          use(edge, cost, backMs)
        })
      }
    })
  }
  for (;;) {
    agenda.sort((a, b) => a.atMs - b.atMs || a.order - b.order)
    const next = agenda.shift()
    if (!next) return used
    next.act(next.atMs)
  }
}

function expectBound(used: readonly number[], quota: Quota): void {
  const times = used.toSorted((a, b) => a - b)
  const most = (windowMs: number) => Math.floor(windowMs / quota.intervalMs) + quota.burst
  const over = times.flatMap((startMs, first) =>
    times.slice(first).flatMap((endMs, i) => (i + 1 > most(endMs - startMs) ? [{ startMs, endMs, used: i + 1 }] : [])),
  )
  expect(over.slice(0, 3)).toEqual([])
}

describe('one session at four isolates', () => {
  it('stays within the bound in any window, whatever is lost, repeated or late, and whatever the clocks show', () => {
    fc.assert(
      fc.property(policies, fc.nat(), ({ count, periodMs, burst }, seed) => {
        const quota = quotaOf(count, periodMs, burst)
        expectBound(run(quota, scriptOf(seed), true), quota)
      }),
      { numRuns: 300 },
    )
  }, 60_000)

  it('gets at least 95 % of the bound when it asks all the time', () => {
    const quota = quotaOf(120, 60_000, 20)
    const fate = { thereMs: 4, backMs: 4, lost: false, answerLost: false, doubledMs: 0 }
    const script = Array.from(
      { length: 2_000 },
      (_, i): Step => ({ gapMs: 15, edge: i % 4, cost: 1, what: 'request', fate }),
    )
    const used = run(quota, script, false)
    expectBound(used, quota)
    expect(used.length).toBeGreaterThanOrEqual(0.95 * (60 + 20))
  })
})

describe('one session at one isolate', () => {
  const fate = { thereMs: 4, backMs: 4, lost: false, answerLost: false, doubledMs: 0 }
  const rounds = fc.array(fc.double({ min: 1, max: 3, noNaN: true }), { minLength: 1, maxLength: 6 })
  const bursts = fc.record({
    count: fc.integer({ min: 1, max: 120 }),
    periodMs: fc.constantFrom(1_000, 5_000, 10_000, 60_000),
    burst: fc.integer({ min: 1, max: 30 }),
  })

  /** Sends a whole burst before and after each rest. Returns how many requests passed. */
  function passedIn({ burst, intervalMs }: Quota, rests: readonly number[]): number {
    const script = [0, ...rests].flatMap((rest): Step[] =>
      Array.from({ length: burst }, (_, i) => {
        const gapMs = i > 0 ? 10 : Math.ceil(rest * burst * intervalMs) + 20
        return { gapMs, edge: 0, cost: 1, what: 'request', fate }
      }),
    )
    return run({ burst, intervalMs }, script, false).length
  }

  it.each([
    [10, 10_000, 10_020],
    [10, 10_000, 11_500],
    [5, 5_000, 5_020],
    [5, 5_000, 12_500],
    [1, 1_000, 1_050],
    [3, 3_000, 3_020],
    [200, 20_000, 21_000],
  ])('gets all of its %i requests in %i ms again after a rest of %i ms', (burst, periodMs, restMs) => {
    const quota = quotaOf(burst, periodMs, burst)
    expect(passedIn(quota, Array(4).fill(restMs / periodMs))).toBe(5 * burst)
  })

  it('gets the whole burst again after any rest that is long enough for the debt to drain', () => {
    fc.assert(
      fc.property(bursts, rounds, ({ count, periodMs, burst }, rests) => {
        const quota = quotaOf(count, periodMs, burst)
        expect(passedIn(quota, rests)).toBe((rests.length + 1) * burst)
      }),
      { numRuns: 500 },
    )
  })
})

describe('a door whose clock goes back', () => {
  const step = fc.record({
    afterMs: fc.oneof(fc.integer({ min: 0, max: 3_000 }), fc.integer({ min: -15_000, max: 20_000 })),
    isolate: fc.constantFrom('a', 'b', 'c'),
    want: fc.integer({ min: 0, max: 12 }),
    spare: fc.integer({ min: 0, max: 12 }),
    /** The share of its tokens that the isolate uses before it asks, and the share of the rest that it keeps. */
    uses: fc.double({ min: 0, max: 1, noNaN: true }),
    keeps: fc.double({ min: 0, max: 1, noNaN: true }),
    isRepeated: fc.boolean(),
  })

  it('lends at most the burst and what time has drained, whatever isolates ask, use, keep and repeat', () => {
    fc.assert(
      fc.property(policies, fc.array(step, { maxLength: 80 }), ({ count, periodMs, burst }, steps) => {
        const quota = quotaOf(count, periodMs, burst)
        const debt = newDebt(quota)
        const isolates = new Map<string, { nth: number; used: number; has: number; untilMs: number }>()
        let nowMs = START_MS
        let [lowestMs, highestMs] = [nowMs, nowMs]
        for (const { afterMs, isolate, want, spare, uses, keeps, isRepeated } of steps) {
          nowMs += afterMs
          lowestMs = Math.min(lowestMs, nowMs)
          highestMs = Math.max(highestMs, nowMs)
          // Tokens left at the end of a lease can no longer be used.
          for (const other of isolates.values()) if (nowMs >= other.untilMs) other.has = 0
          const one = isolates.get(isolate) ?? { nth: 0, used: 0, has: 0, untilMs: 0 }
          isolates.set(isolate, one)
          const used = Math.floor(one.has * uses)
          const kept = Math.floor((one.has - used) * keeps)
          Object.assign(one, { nth: one.nth + 1, used: one.used + used, has: kept })
          const asked = ask({ lease: isolate, nth: one.nth, used: one.used, has: kept, want, spare })
          const grant = lend(debt, quota, asked, termAt(nowMs))
          if (isRepeated) expect(lend(debt, quota, asked, termAt(nowMs))).toBe(grant)
          expect(grant.tokens).toBeGreaterThanOrEqual(0)
          expect(grant.remaining).toBeGreaterThanOrEqual(0)
          expect(grant.tokens + grant.remaining).toBeLessThanOrEqual(burst)
          Object.assign(one, { has: one.has + grant.tokens, untilMs: nowMs + LEASE_MS })
          // Isolates may use all of their tokens at once.
          const most = burst + Math.floor((highestMs - lowestMs) / quota.intervalMs)
          const all = [...isolates.values()].reduce((sum, { used, has }) => sum + used + has, 0)
          expect(all).toBeLessThanOrEqual(most)
        }
      }),
      { numRuns: 500 },
    )
  })
})
