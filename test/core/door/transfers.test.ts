import { describe, expect, it } from 'vitest'
import { decideClaim, endEarly, newDoor } from '../../../src/core/door/door.ts'
import { keepCode, redeemCode, type Transfer, type TransferStore } from '../../../src/core/door/transfers.ts'
import { CODE_FOR_MS } from '../../../src/core/place/transfer.ts'
import type { TransferOffer } from '../../../src/core/protocol/transfers.ts'
import { MAIN_LANE } from '../../../src/core/ticket.ts'
import { MemorySessions } from '../../../tools/simulation/sessions.ts'

const T0 = 1_700_000_000_000
const SID = 'eu-0.AAAAAAAABBBBBBBBBBBBBB'
const CODE = 'EU0-7K3M9-QX4PA'
const rules = { sessionMs: 300_000, renewal: true, sessionMaxMs: null, reentryGraceMs: 0, claimWindowMs: 300_000 }
const offer: TransferOffer = { code: CODE, sid: SID, token: 'a.b.c', to: '/shop' }
const claim = { sid: SID, key: T0, lane: MAIN_LANE, generation: 1 }
const OVER = { verdict: 'ended', again: null, transferred: true }

class MemoryTransfers implements TransferStore {
  readonly #rows = new Map<string, Transfer>()

  timesOf(place: string): number {
    return this.#rows.get(place)?.transfers ?? 0
  }

  byCode(code: string): Transfer | undefined {
    return [...this.#rows.values()].find(row => row.code === code)
  }

  save(transfer: Transfer): void {
    this.#rows.set(transfer.place, transfer)
  }

  codes(nowMs: number): number {
    return [...this.#rows.values()].filter(({ untilMs }) => untilMs > nowMs).length
  }
}

/** A door with one permit. */
function doorWithPermit() {
  const door = { ...newDoor('eu-0', 1, T0), granted: 1 }
  const places = { store: new MemorySessions(), rules, transfers: new MemoryTransfers() }
  return {
    door,
    offer: (more: Partial<TransferOffer> = {}, atMs = T0) => keepCode(places, { ...offer, ...more }, atMs),
    take: (by: string, atMs = T0 + 1_000, code = CODE) => redeemCode(door, places, { code, by }, atMs),
    claim: (transfers?: number, atMs = T0 + 2_000) =>
      decideClaim(
        door,
        places,
        { request: { ...claim, ...(transfers === undefined ? {} : { transfers }) }, attempt: 'last' },
        atMs,
      ),
    leave: (transfers?: number) =>
      endEarly(
        door,
        places,
        {
          sid: SID,
          how: 'left',
          place: { key: T0, lane: MAIN_LANE, ...(transfers === undefined ? {} : { transfers }) },
        },
        T0 + 2_000,
      ),
  }
}

describe('a code at its door', () => {
  it('gives the place to the first attempt, and to no other one', () => {
    const one = doorWithPermit()
    expect(one.offer()).toEqual({ verdict: 'offered', untilMs: T0 + CODE_FOR_MS })
    const taken = { verdict: 'taken', token: 'a.b.c', to: '/shop', transfers: 1 }
    expect(one.take('first')).toEqual(taken)
    expect(one.take('second')).toEqual({ verdict: 'none' })
    expect(one.take('first')).toEqual(taken)
  })

  it('is valid for ten minutes, and until a new one is made', () => {
    const one = doorWithPermit()
    one.offer()
    expect(one.take('late', T0 + CODE_FOR_MS)).toEqual({ verdict: 'none' })
    one.offer({ code: 'EU0-00000-00000' })
    expect(one.take('old')).toEqual({ verdict: 'none' })
    expect(one.take('new', T0 + 1_000, 'EU0-00000-00000').verdict).toBe('taken')
  })

  it('is worth nothing after its place has begun a session or was given up', () => {
    const [begun, left] = [doorWithPermit(), doorWithPermit()]
    for (const one of [begun, left]) one.offer()
    expect(begun.claim().verdict).toBe('admitted')
    expect(left.leave()).toBe(true)
    for (const one of [begun, left]) {
      expect(one.take('other', T0 + 3_000)).toEqual({ verdict: 'none' })
      expect(one.offer()).toEqual({ verdict: 'over' })
    }
  })
})

describe('a transferred place at its door', () => {
  it('begins one session, for the browser that has it now', () => {
    const one = doorWithPermit()
    one.offer()
    one.take('other')
    expect(one.claim()).toEqual(OVER)
    expect(one.claim(1).verdict).toBe('admitted')
    expect(one.claim()).toEqual(OVER)
    expect(one.door.spent).toBe(1)
  })

  it('cannot be given up, nor offered, by the browser that had it before', () => {
    const one = doorWithPermit()
    one.offer()
    one.take('other')
    expect(one.leave()).toBe(false)
    expect(one.offer()).toEqual({ verdict: 'over' })
    expect(one.claim(1).verdict).toBe('admitted')
  })

  it('can go on to a third browser', () => {
    const one = doorWithPermit()
    one.offer()
    one.take('second')
    one.offer({ transfers: 1, code: 'EU0-00000-00000' })
    expect(one.take('third', T0 + 1_000, 'EU0-00000-00000')).toMatchObject({ transfers: 2 })
    expect([one.claim(), one.claim(1)]).toEqual([OVER, OVER])
    expect(one.claim(2).verdict).toBe('admitted')
  })

  it('is reported to the room with the number of the transfer', () => {
    const one = doorWithPermit()
    one.offer()
    one.take('other')
    expect(one.door.tally.report().cells).toEqual({ 'transfer/AAAAAAAA/1': 1 })
  })
})
