import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { Arrivals, arrivalBucketOf } from '../../../src/core/line/arrivals.ts'
import type { DoorReport } from '../../../src/core/protocol/messages.ts'
import { addUnstored, newRoom, type RoomState, sync, waitingTotal } from '../../../src/core/room/room.ts'
import { MAIN_LANE } from '../../../src/core/ticket.ts'
import { emptyReport } from '../../support/reports.ts'

const T0 = 1_700_000_000_000
/** No visitor is called, so that all stay in line. */
const HELD = { ratePerMinute: 0, totalActiveUsers: 1_000, claimWindowMs: 300_000 }

/** A room that stores what the Room object stores, and counts it. */
class StoredRoom {
  readonly #doors = new Map<string, string>()
  readonly #chunks = new Map<number, Uint8Array>()
  #kept: Pick<RoomState, 'chunksStored'> = { chunksStored: { times: 0, atMs: 0 } }
  readonly #seqs = new Map<string, number>()
  room = newRoom(T0)
  chunkBytes = 0
  doorBytesMax = 0
  /** When chunks were stored. */
  readonly storedAtMs: number[] = []

  constructor() {
    this.room.open = false
  }

  /** A door reports places in these buckets, and takes back those in `gone`. */
  report(door: string, buckets: readonly number[], nowMs: number, gone: readonly number[] = []): void {
    const seq = (this.#seqs.get(door) ?? 0) + 1
    this.#seqs.set(door, seq)
    const cells: Record<string, number> = {}
    for (const bucket of buckets) cells[`line/main/${bucket}`] = (cells[`line/main/${bucket}`] ?? 0) + 1
    for (const bucket of gone) cells[`gone/main/${bucket}`] = 1
    const report: DoorReport = { ...emptyReport(door), seq, base: seq - 1, open: false, cells }
    const outcome = sync(this.room, report, HELD, nowMs)
    if (outcome.kind !== 'applied') throw new Error(`the report was ${outcome.kind}`)
    if (outcome.dirty.size > 0) this.storedAtMs.push(nowMs)
    for (const chunk of outcome.dirty.get(MAIN_LANE) ?? []) {
      const bytes = this.#arrivals.save(chunk)
      if (!bytes) continue
      this.chunkBytes += bytes.length
      this.#chunks.set(chunk, bytes)
    }
    const { demand: _, ...account } = this.room.doors.get(door) ?? { demand: [] }
    this.#doors.set(door, JSON.stringify(account))
    this.doorBytesMax = Math.max(this.doorBytesMax, (this.#doors.get(door) ?? '').length)
    this.#kept = structuredClone({ chunksStored: this.room.chunksStored })
  }

  restart(): void {
    const { lines, generation } = this.room
    const state = lines.get(MAIN_LANE)?.state
    if (!state) throw new Error('the room has no main line')
    const arrivals = new Arrivals()
    for (const [chunk, bytes] of this.#chunks) arrivals.load(chunk, bytes)
    this.room = {
      ...newRoom(generation),
      ...structuredClone(this.#kept),
      open: false,
      lines: new Map([[MAIN_LANE, { state: structuredClone(state), arrivals }]]),
      doors: new Map([...this.#doors].map(([name, row]) => [name, { ...JSON.parse(row), demand: [] }])),
    }
    addUnstored(this.room)
  }

  get #arrivals(): Arrivals {
    return this.room.lines.get(MAIN_LANE)?.arrivals ?? new Arrivals()
  }
}

describe('a room with a hundred doors', () => {
  it('stores a chunk at most once a second, and for each report a row of at most twice its length', () => {
    const stored = new StoredRoom()
    const people = 100
    const seconds = 6
    let told = 0
    for (let ms = 0; ms < seconds * 1_000; ms += 10) {
      const door = `d${(ms / 10) % 100}`
      const from = arrivalBucketOf(T0 + ms)
      const buckets = Array.from({ length: people }, (_, i) => from + (i % 80))
      stored.report(door, buckets, T0 + ms + 100)
      told += people
    }
    const between = stored.storedAtMs.slice(1).map((atMs, i) => atMs - (stored.storedAtMs[i] ?? 0))
    expect(Math.min(...between)).toBeGreaterThanOrEqual(1_000)
    expect(waitingTotal(stored.room)).toBe(told)
    // Two bytes a person, and each chunk of two seconds is stored at most three times.
    expect(stored.chunkBytes).toBeLessThanOrEqual(3 * 2 * told)
    expect(stored.doorBytesMax).toBeLessThan(2 * 80 * 30 + 1_000)
  })

  it('stores at once what would make a row too long', () => {
    const stored = new StoredRoom()
    const bucket = arrivalBucketOf(T0)
    stored.report('d0', [bucket], T0)
    stored.report(
      'd1',
      Array.from({ length: 12_000 }, (_, i) => bucket + i),
      T0 + 10,
    )
    expect(stored.storedAtMs).toEqual([T0, T0 + 10])
  })
})

describe('a room that starts again', () => {
  it('has each place once, whenever it starts again and whichever door reports', () => {
    const step = fc.record({
      door: fc.constantFrom('a', 'b', 'c'),
      offsets: fc.array(fc.nat(40_000), { maxLength: 5 }),
      takesBack: fc.boolean(),
      laterMs: fc.constantFrom(0, 50, 400, 1_000, 2_500),
      restarts: fc.boolean(),
    })
    fc.assert(
      fc.property(fc.array(step, { maxLength: 30 }), steps => {
        const stored = new StoredRoom()
        let nowMs = T0
        const inLine: number[] = []
        for (const { door, offsets, takesBack, laterMs, restarts } of steps) {
          nowMs += laterMs
          // A ticket is given up after it was counted.
          const gone = takesBack ? inLine.splice(0, 1) : []
          const buckets = offsets.map(offset => arrivalBucketOf(T0) + 1 + offset)
          stored.report(door, buckets, nowMs, gone)
          inLine.push(...buckets)
          if (restarts) stored.restart()
          expect(waitingTotal(stored.room)).toBeCloseTo(inLine.length)
        }
      }),
    )
  })
})
