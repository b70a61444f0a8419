import { describe, expect, it } from 'vitest'
import type { EventsSnapshot } from '../../../src/core/events/events.ts'
import { counterOf, eventLotOf, goneCounterOf, issueAt, newTicket, withPlace } from '../../../src/core/place/tickets.ts'
import type { Snapshot } from '../../../src/core/protocol/messages.ts'
import { NO_GENERATION, type Ticket } from '../../../src/core/ticket.ts'

/** The prequeue of an event begins at 1,000 s, and the event at 2,000 s. */
const P = 1_000_000
const S = 2_000_000
const NOW = 1_500_000

const WAITS: EventsSnapshot = {
  prequeue: { event: 'sale', draw: 1, fromMs: P, startMs: S },
  draws: [{ id: 1, event: 'sale', startMs: S, drawn: null }],
  lastDraw: 1,
  counting: null,
}
const DRAWN: EventsSnapshot = {
  ...WAITS,
  prequeue: null,
  draws: [{ id: 1, event: 'sale', startMs: S, drawn: { seed: 'seed', fromKey: P } }],
}
const CALLED_OFF: EventsSnapshot = { ...WAITS, prequeue: null, draws: [] }

const SNAPSHOT = { generation: 7, events: null, batches: null } as unknown as Snapshot
const snapshot = (parts: Partial<Snapshot>): Snapshot => ({ ...SNAPSHOT, ...parts })
const ticket = (parts: Partial<Ticket> = {}): Ticket => ({
  ...newTicket({ room: 'shop', sid: 'a.1', lane: 'main', key: NOW }, SNAPSHOT, NOW),
  ...parts,
})
const ENTRY = { event: 'sale', draw: 1 }

describe('a new ticket', () => {
  it('has the place of its arrival, behind a debt if there is one', () => {
    expect(issueAt(SNAPSHOT, 'main', 5_000, NOW)).toEqual({ batch: null, entry: null, behindMs: 5_000 })
    expect(issueAt(null, 'main', 0, NOW)).toEqual({ batch: null, entry: null, behindMs: 0 })
  })

  it('is drawn in the batch of its moment in a random room', () => {
    const batches = { fromMs: 0, windowMs: 60_000 }
    const { batch, entry } = issueAt(snapshot({ batches }), 'main', 0, NOW)
    expect([batch?.untilMs, entry]).toEqual([1_560_000, null])
  })

  it('is an entry in the draw of an event, outside the main lane a place by arrival', () => {
    expect(issueAt(snapshot({ events: WAITS }), 'main', 5_000, NOW)).toEqual({ batch: null, entry: ENTRY, behindMs: 0 })
    expect(issueAt(snapshot({ events: WAITS }), 'vip', 5_000, NOW)).toEqual({ batch: null, entry: null, behindMs: 0 })
    expect(issueAt(snapshot({ events: WAITS }), 'main', 0, P - 1).entry).toBeNull()
  })

  it('is provisional and of the generation of its snapshot', () => {
    expect(ticket()).toMatchObject({ confirmed: false, low: null, byMs: null, generation: 7, issuedMs: NOW })
    expect(newTicket({ room: 'shop', sid: 'a.1', lane: 'main', key: 1 }, null, NOW).generation).toBe(NO_GENERATION)
  })
})

describe('an entry in the draw of an event', () => {
  const entry = ticket({ entry: ENTRY, confirmed: true })

  it('stays as it is before the start', () => {
    expect(eventLotOf(entry, WAITS)).toBeNull()
    expect(withPlace(entry, WAITS, null, NOW)).toBe(entry)
    expect(withPlace(entry, null, null, NOW)).toBe(entry)
  })

  it('takes the drawn key, which is not counted yet', () => {
    expect(eventLotOf(entry, DRAWN)).toEqual({ seed: 'seed', batch: { fromKey: P, untilMs: S } })
    expect(withPlace(entry, DRAWN, P + 1, S + 1)).toEqual({ ...entry, key: P + 1, entry: null, confirmed: false })
  })

  it('stands behind the draw if it was not confirmed before', () => {
    const late = { ...entry, confirmed: false }
    expect(eventLotOf(late, DRAWN)).toBeNull()
    expect(withPlace(late, DRAWN, null, S + 1).key).toBeGreaterThan(S)
  })

  it('has the place of its arrival when the draw is called off', () => {
    expect(eventLotOf(entry, CALLED_OFF)).toBeNull()
    expect(withPlace(entry, CALLED_OFF, null, NOW)).toEqual({ ...entry, entry: null, confirmed: false })
  })

  it('is made from a fresh ticket that was issued during the prequeue by an edge without knowledge of it', () => {
    expect(withPlace(ticket(), WAITS, null, NOW).entry).toEqual(ENTRY)
    for (const other of [ticket({ confirmed: true }), ticket({ byMs: NOW }), ticket({ key: P - 1 })])
      expect(withPlace(other, WAITS, null, NOW)).toBe(other)
  })
})

describe('the counter of a ticket', () => {
  it('is that of its bucket and lane, or of its entry', () => {
    expect(counterOf(ticket({ lane: 'vip' }))).toBe('line/vip/12000000')
    expect(counterOf(ticket({ entry: ENTRY }))).toBe('entry/1')
  })

  it('is counted down only for a place that was counted', () => {
    expect(goneCounterOf(ticket({ confirmed: true }))).toBe('gone/main/12000000')
    expect(goneCounterOf(ticket())).toBeNull()
    expect(goneCounterOf(ticket({ confirmed: true, entry: ENTRY }))).toBeNull()
  })
})
