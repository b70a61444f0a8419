import { runInDurableObject } from 'cloudflare:test'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { arrivalBucketOf } from '../../src/core/line/arrivals.ts'
import { roomStub } from '../../src/settings/env.ts'
import { emptyReport } from '../support/reports.ts'
import { env } from '../support/workerd/visitor.ts'

afterEach(() => {
  vi.useRealTimers()
  vi.restoreAllMocks()
})

interface Write {
  readonly table: string
  readonly bytes: number
  readonly atMs: number
}

/** Notes every row that the room writes from now on. Each statement of a room writes one row. */
async function notedWrites(room: DurableObjectStub): Promise<Write[]> {
  const writes: Write[] = []
  await runInDurableObject(room, (_room, { storage: { sql } }) => {
    const exec = sql.exec.bind(sql)
    vi.spyOn(sql, 'exec').mockImplementation((query, ...values) => {
      const cursor = exec(query, ...values)
      const [, table = ''] = /^INSERT INTO (\w+)/.exec(query) ?? []
      const bytes = values.map(value => (value instanceof Uint8Array ? value.length : String(value).length))
      if (cursor.rowsWritten > 0)
        writes.push({ table, bytes: bytes.reduce((sum, one) => sum + one, 0), atMs: Date.now() })
      return cursor as never
    })
  })
  return writes
}

describe('a room with twenty doors and a crowd', () => {
  it('writes two small rows for each report, and the line once a second for all doors', async () => {
    const room = roomStub(env, 'wide')
    const startMs = Math.ceil(Date.now() / 60_000) * 60_000 + 6_000
    vi.useFakeTimers({ now: startMs, toFake: ['Date'] })
    const [doors, people, reports] = [20, 50, 60]
    const report = (nth: number) => {
      const bucket = arrivalBucketOf(Date.now())
      const cells = Object.fromEntries(Array.from({ length: people }, (_, i) => [`line/main/${bucket + (i % 40)}`, 1]))
      const seq = 1 + Math.floor(nth / doors)
      return { ...emptyReport(`w-${nth % doors}`), seq, base: seq - 1, cells, open: false, version: '' }
    }
    for (let nth = 0; nth < doors; nth++) await room.sync(report(nth))
    const writes = await notedWrites(room as unknown as DurableObjectStub)
    for (let nth = doors; nth < doors + reports; nth++) {
      vi.setSystemTime(Date.now() + 50)
      await room.sync(report(nth))
    }
    const inTable = (table: string) => writes.filter(write => write.table === table)
    expect(inTable('doors')).toHaveLength(reports)
    // Three seconds have a new chunk of two seconds each, and the one before changes once more.
    expect(new Set(inTable('arrivals').map(({ atMs }) => atMs)).size).toBeLessThanOrEqual(4)
    expect(inTable('arrivals').length).toBeGreaterThan(0)
    expect(inTable('arrivals').length).toBeLessThanOrEqual(8)
    // The room writes one row for its facts with each report, and one row for its health every five seconds.
    expect(inTable('facts').length).toBeLessThanOrEqual(reports + 1)
    expect(writes.length).toBeLessThanOrEqual(2 * reports + 10)
    // A count takes about thirty bytes, in the door's last report and among the counts that are not in a chunk yet.
    expect(Math.max(...inTable('doors').map(({ bytes }) => bytes))).toBeLessThan(3 * 40 * 35 + 1_000)
    expect(Math.max(...inTable('facts').map(({ bytes }) => bytes))).toBeLessThan(8_000)
  })
})
