import { createHmac } from 'node:crypto'
import { beforeAll, describe, expect, it } from 'vitest'
import { batchAt } from '../../src/core/line/batches.ts'
import type { Draw, Ticket } from '../../src/core/ticket.ts'
import { drawnKey, entryKey } from '../../src/tokens/draw.ts'
import { type KeyRing, openKeyRing, type StoredKey } from '../../src/tokens/keyring.ts'
import { newKeys } from '../../src/tokens/rotation.ts'
import { readToken, signTicket } from '../../src/tokens/tokens.ts'

const MINUTE = 60_000
const T0 = 1_700_000_040_000
const PEOPLE = 5_000

let keys: StoredKey[]
let ring: KeyRing
let draw: Draw

beforeAll(async () => {
  keys = await newKeys('one')
  ring = await openKeyRing(JSON.stringify({ keys }))
  draw = { ...batchAt({ fromMs: 0, windowMs: MINUTE }, T0), kid: ring.tickets.sign.kid }
})

const drawn = async (sid: string, of = ring, in_ = draw) => (await drawnKey(of, 'shop', sid, in_)) as number
const everybody = () => Promise.all(Array.from({ length: PEOPLE }, (_, i) => drawn(`eu-0.${i}`)))

/** Returns the chi-square of deciles of place against deciles of arrival, with 81 degrees of freedom. */
function chiSquareOf(places: readonly number[]): number {
  const ranks = new Map(
    places
      .map((key, i) => ({ key, i }))
      .toSorted(byKey)
      .map(({ i }, rank) => [i, rank]),
  )
  const table = Array.from({ length: 10 }, () => Array<number>(10).fill(0))
  places.forEach((_, arrival) => {
    const row = table[Math.floor((arrival * 10) / places.length)] as number[]
    const column = Math.floor(((ranks.get(arrival) as number) * 10) / places.length)
    row[column] = (row[column] as number) + 1
  })
  const expected = places.length / 100
  return table.flat().reduce((sum, seen) => sum + (seen - expected) ** 2 / expected, 0)
}

/** A fair draw exceeds this chi-square once in a hundred thousand draws. */
const CHI_SQUARE_MAX = 146
const byKey = (a: { key: number; i: number }, b: { key: number; i: number }) => a.key - b.key || a.i - b.i

describe('a draw', () => {
  it('is independent of the order of arrival, by chi-square over deciles', async () => {
    expect(chiSquareOf(await everybody())).toBeLessThan(CHI_SQUARE_MAX)
    // The measure is large for places in the order of arrival.
    expect(chiSquareOf(Array.from({ length: PEOPLE }, (_, i) => i))).toBeGreaterThan(CHI_SQUARE_MAX * 100)
  })

  it('gives nearly every visitor a separate place', async () => {
    // With sixty million places for five thousand people, a pair shares a place in one draw of five.
    expect(new Set(await everybody()).size).toBeGreaterThanOrEqual(PEOPLE - 5)
  })

  it('is the same at every edge, but differs by batch, by room and by key', async () => {
    const same = await openKeyRing(JSON.stringify({ keys }))
    const other = await openKeyRing(JSON.stringify({ keys: await newKeys('one') }))
    const later = { ...draw, fromKey: draw.fromKey + MINUTE, untilMs: draw.untilMs + MINUTE }
    const first = await drawn('eu-0.a')
    expect(await drawn('eu-0.a', same)).toBe(first)
    expect(await drawn('eu-0.a', other)).not.toBe(first)
    expect((await drawn('eu-0.a', ring, later)) - MINUTE).not.toBeCloseTo(first, 3)
    expect(await drawnKey(ring, 'other', 'eu-0.a', draw)).not.toBe(first)
  })

  it('that one person repeats three times gives the best of three places', async () => {
    // The best of three draws lies at a quarter of the batch on average.
    const best = await Promise.all(
      Array.from({ length: 1_000 }, async (_, i) => {
        const keys = await Promise.all([0, 1, 2].map(again => drawn(`eu-0.${i}/${again}`)))
        return (Math.min(...keys) - draw.fromKey) / MINUTE
      }),
    )
    expect(best.reduce((sum, share) => sum + share, 0) / best.length).toBeCloseTo(0.25, 1)
  })
})

describe('the draw of an event', () => {
  const ENTRIES = 10_000
  const seed = 'PX2FLxN0pV9sBwUj8kQmYt5cRzGh1oDaEiS7vKbTfM4'
  const lastMinute = { fromKey: T0, untilMs: T0 + MINUTE }
  const sids = Array.from({ length: ENTRIES }, (_, i) => `eu-0.${i}`)
  const places = () => Promise.all(sids.map(sid => entryKey(seed, sid, lastMinute)))

  it('is independent of the order of arrival', async () => {
    expect(chiSquareOf(await places())).toBeLessThan(CHI_SQUARE_MAX)
  })

  it('gives each entry a place of its own: the sid splits the rare ties', async () => {
    const keys = await places()
    expect(new Set(keys).size).toBeGreaterThanOrEqual(ENTRIES - 8)
    const order = sids.map((sid, i) => `${keys[i]} ${sid}`).toSorted()
    expect(new Set(order).size).toBe(ENTRIES)
    expect(keys.every(key => key >= T0 && key < T0 + MINUTE)).toBe(true)
  })

  it('can be computed with any HMAC tool: the key is the text of the seed, the message is the sid', async () => {
    const hash = createHmac('sha256', seed).update('eu-0.7').digest()
    const share = Number(hash.readBigUInt64BE() >> 12n) / 2 ** 52
    expect(await entryKey(seed, 'eu-0.7', lastMinute)).toBeCloseTo(T0 + share * MINUTE, 2)
  })

  it('differs with another seed', async () => {
    const other = await Promise.all(sids.map(sid => entryKey(`${seed}x`, sid, lastMinute)))
    const same = (await places()).filter((key, i) => key === other[i])
    expect(same.length).toBeLessThan(5)
  })
})

describe('the ticket of an entry', () => {
  it('contains the event and the arrival, but no place', async () => {
    const entry: Ticket = {
      room: 'shop',
      sid: 'eu-0.a',
      key: T0,
      entry: { event: 'sale', draw: 3 },
      lane: 'main',
      confirmed: true,
      low: null,
      byMs: null,
      generation: 3,
      issuedMs: T0,
    }
    const text = await signTicket(ring, entry)
    expect(await readToken(ring, text, 'shop', T0)).toMatchObject({ kind: 'ticket', ticket: entry })
    const damaged = { ...entry, entry: { event: 'sale', draw: Number.NaN } }
    expect((await readToken(ring, await signTicket(ring, damaged), 'shop', T0)).kind).toBe('none')
  })
})

describe('the ticket of a batch that has not ended', () => {
  const ticketOf = (key: number, of: Draw | null): Ticket => ({
    room: 'shop',
    sid: 'eu-0.a',
    key,
    draw: of,
    lane: 'main',
    confirmed: true,
    low: null,
    byMs: null,
    generation: 3,
    issuedMs: T0,
  })

  it('does not contain its place, which the edge computes when it reads the ticket', async () => {
    const key = await drawn('eu-0.a')
    const text = await signTicket(ring, ticketOf(key, draw))
    const claims = JSON.parse(atob((text.split('.')[1] ?? '').replaceAll('-', '+').replaceAll('_', '/')))
    expect(claims).toMatchObject({ key: draw.fromKey, until: draw.untilMs })
    expect(JSON.stringify(claims)).not.toContain(String(key))
    expect(await readToken(ring, text, 'shop', T0)).toMatchObject({ kind: 'ticket', ticket: { key, draw } })
  })

  it('keeps its place when the keys are rotated meanwhile', async () => {
    const key = await drawn('eu-0.a')
    const before = await readToken(ring, await signTicket(ring, ticketOf(key, draw)), 'shop', T0)
    const verifying = keys.map(stored => ({ ...stored, state: 'verify' as const }))
    const rotated = await openKeyRing(JSON.stringify({ keys: [...verifying, ...(await newKeys('two'))] }))
    const again = await signTicket(rotated, before.kind === 'ticket' ? before.ticket : ticketOf(0, null))
    expect(await readToken(rotated, again, 'shop', T0)).toMatchObject({ ticket: { key } })
  })

  it('is invalid when the key that drew its place is gone', async () => {
    const text = await signTicket(ring, ticketOf(1, { ...draw, kid: 'dropped' }))
    expect((await readToken(ring, text, 'shop', T0)).kind).toBe('none')
  })
})
