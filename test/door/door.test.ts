import { abortAllDurableObjects, evictDurableObject, runDurableObjectAlarm, runInDurableObject } from 'cloudflare:test'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { arrivalBucketOf } from '../../src/core/line/arrivals.ts'
import type { Claim, ClaimAnswer } from '../../src/core/protocol/messages.ts'
import { Room } from '../../src/index.ts'
import { doorStub, roomStub } from '../../src/settings/env.ts'
import { env } from '../support/workerd/visitor.ts'

const pause = (ms: number) => new Promise(resolve => setTimeout(resolve, ms))

/** The real stub, in the type that some helpers require. */
const stubOf = (name: string) => doorStub(env, 'wide', name) as unknown as DurableObjectStub

let sids = 0
function claimOf(door: string, more: Partial<Claim> = {}): Claim {
  const sid = `${door}.${String(sids++).padStart(22, 'A')}`
  return { sid, key: Date.now(), lane: 'main', generation: 1, ...more }
}

const claim = (door: string, request = claimOf(door)) => doorStub(env, 'wide', door).claim(request)

afterEach(() => {
  vi.useRealTimers()
  vi.restoreAllMocks()
})

describe('a budget that is set', () => {
  const ask = () => doorStub(env, 'stocked', 'st-0').claim(claimOf('st-0', { generation: 0, leaves: true }))

  it('counts no earlier admission, even one that has not reached the room yet', async () => {
    const room = roomStub(env, 'stocked')
    expect((await ask()).verdict).toBe('admitted')
    await room.change({ set: { remaining: 2 } }, null, 'test')
    const { figures } = await room.describe()
    expect(figures).toMatchObject({ active: 1, remaining: 2 })
    const verdicts = []
    for (let nth = 0; nth < 4; nth++) verdicts.push((await ask()).verdict)
    expect(verdicts).toEqual(['admitted', 'admitted', 'none', 'none'])
  })
})

describe('a door', () => {
  it('answers fifty simultaneous claims of one ticket alike, with one session', async () => {
    const before = (await roomStub(env, 'wide').describe()).figures.active
    const request = claimOf('xx-0')
    const answers = await Promise.all(Array.from({ length: 50 }, () => claim('xx-0', request)))
    expect(new Set(answers.map(answer => JSON.stringify({ ...answer, known: true }))).size).toBe(1)
    expect(answers[0]?.verdict).toBe('admitted')
    expect(answers.filter(answer => !('known' in answer))).toHaveLength(1)
    await pause(1_500)
    expect((await roomStub(env, 'wide').describe()).figures.active - before).toBe(1)
  })

  it('admits a visitor by one statement that writes one row, and renews the session by one more', async () => {
    await claim('xx-10')
    const statements: SqlStorageCursor<Record<string, SqlStorageValue>>[] = []
    await runInDurableObject(stubOf('xx-10'), (_door, { storage: { sql } }) => {
      const exec = sql.exec.bind(sql)
      vi.spyOn(sql, 'exec').mockImplementation((query, ...values) => {
        const cursor = exec(query, ...values)
        statements.push(cursor)
        return cursor as never
      })
    })
    const written = () => statements.splice(0).map(({ rowsWritten }) => rowsWritten)
    const tokens = { lease: 'a', nth: 1, policy: 'session', bucket: 'session', used: 0, has: 0, want: 3, least: 1 }
    const request = claimOf('xx-10', { tokenRequests: [{ ...tokens, spare: 0 }] })
    expect(await claim('xx-10', request)).toMatchObject({ verdict: 'admitted', grants: [{ tokens: 3 }] })
    expect(written()).toEqual([1])
    await doorStub(env, 'wide', 'xx-10').renew([{ sid: request.sid, protectMs: 0 }])
    expect(written()).toEqual([0, 1])
    await claim('xx-10', request)
    expect(written().reduce((sum, rows) => sum + rows, 0)).toBe(0)
  })

  it('keeps its sessions when it is evicted, aborted or restarted', async () => {
    const requests = Array.from({ length: 5 }, () => claimOf('xx-1'))
    const answers = await Promise.all(requests.map(request => claim('xx-1', request)))
    const known = answers.map(answer => ({ ...answer, known: true }))
    await evictDurableObject(stubOf('xx-1'))
    expect(await Promise.all(requests.map(request => claim('xx-1', request)))).toEqual(known)
    await abortAllDurableObjects()
    expect(await Promise.all(requests.map(request => claim('xx-1', request)))).toEqual(known)
  })

  it('reports a crowd to the room in messages that fit in a row', async () => {
    const room = roomStub(env, 'asleep')
    const bucket = arrivalBucketOf(Date.now())
    const cells: Record<string, number> = {}
    for (let i = 0; i < 100_000; i++) cells[`line/main/${bucket - i}`] = 1
    const told = async () => (await room.describe()).figures.totals.confirmed ?? 0
    const before = await told()
    await doorStub(env, 'asleep', 'as-0').sync({ isolate: 'many', seq: 1, base: 0, cells, version: '' })
    let longest = 0
    const rows = () =>
      runInDurableObject(room as unknown as DurableObjectStub, (_room, { storage }) =>
        Number(storage.sql.exec('SELECT MAX(LENGTH(account)) AS bytes FROM doors').one().bytes),
      )
    while ((await told()) - before < 100_000) {
      longest = Math.max(longest, await rows())
      await pause(200)
    }
    longest = Math.max(longest, await rows())
    // The platform's limit on a value, in bytes.
    expect(longest).toBeLessThan(2_000_000)
  })

  it('gives no second place at the front, and none after an end by time, even after a restart', async () => {
    const room = roomStub(env, 'asleep')
    const door = () => doorStub(env, 'asleep', 'as-1')
    const [idle, back, timed] = [claimOf('as-1'), claimOf('as-1'), claimOf('as-1')]
    const again = { ...back, sid: `${back.sid}~1` }
    for (const request of [idle, again]) expect((await door().claim(request)).verdict).toBe('admitted')
    await room.change({ set: { disable_session_renewal: true, session_duration: 0.05 } }, null, 'test')
    await door().nudge()
    expect((await door().claim(timed)).verdict).toBe('admitted')
    await room.change({ reset: 'all' }, null, 'test')
    await evictDurableObject(door() as unknown as DurableObjectStub)
    vi.useFakeTimers({ now: Date.now() + 60_000, toFake: ['Date'] })
    expect(await door().claim(idle)).toMatchObject({ verdict: 'ended', again: { sid: `${idle.sid}~1` } })
    expect(await door().claim(again)).toEqual({ verdict: 'ended', again: null })
    expect(await door().claim(timed)).toEqual({ verdict: 'ended', again: null })
  })

  it('never admits a ticket whose place was given up, even after a restart', async () => {
    const door = () => doorStub(env, 'asleep', 'as-2')
    const { sid, key, lane } = claimOf('as-2')
    const inside = claimOf('as-2')
    await door().claim(inside)
    const live = () =>
      runInDurableObject(door() as unknown as DurableObjectStub, (_door, { storage }) =>
        Number(storage.sql.exec('SELECT COUNT(*) AS n FROM sessions WHERE expires_ms > ?', Date.now()).one().n),
      )
    expect(await door().end(sid, 'left', { key, lane })).toBe(true)
    expect(await door().end(sid, 'left', { key, lane })).toBe(false)
    await door().nudge()
    const reported = async () =>
      (await roomStub(env, 'asleep').describe()).figures.doors.find(({ name }) => name === 'as-2')?.active
    expect([await live(), await reported()]).toEqual([1, 1])
    await evictDurableObject(door() as unknown as DurableObjectStub)
    expect(await door().claim({ ...inside, sid, key })).toEqual({ verdict: 'ended', again: null })
    await door().nudge()
    expect([await live(), await reported()]).toEqual([1, 1])
  })

  it('begins every incarnation with a higher epoch and no permits', async () => {
    await claim('xx-2')
    const epochs: number[] = []
    for (let incarnation = 0; incarnation < 3; incarnation++) {
      epochs.push(
        await runInDurableObject(stubOf('xx-2'), (_door, state) =>
          Number(state.storage.sql.exec("SELECT value FROM facts WHERE name = 'epoch'").one().value),
        ),
      )
      await evictDurableObject(stubOf('xx-2'))
    }
    expect(epochs[1]).toBe((epochs[0] ?? 0) + 1)
    expect(epochs[2]).toBe((epochs[0] ?? 0) + 2)
    await claim('xx-2')
    await pause(1_500)
    const door = (await roomStub(env, 'wide').describe()).figures.doors.find(({ name }) => name === 'xx-2')
    expect(door).toMatchObject({ active: 2 })
  })

  it('never readmits an ended sid by an old ticket', async () => {
    const request = claimOf('xx-3')
    await claim('xx-3', request)
    const door = doorStub(env, 'wide', 'xx-3')
    expect(await door.end(request.sid, 'revoked')).toBe(true)
    expect(await door.end(request.sid, 'revoked')).toBe(false)
    await evictDurableObject(stubOf('xx-3'))
    const replayed: ClaimAnswer = await claim('xx-3', request)
    expect(replayed).toEqual({ verdict: 'ended', again: null })
  })

  it('gives nothing after an eviction to a session that owed over ten seconds, and one burst to others', async () => {
    const request = claimOf('xx-7')
    await claim('xx-7', request)
    await roomStub(env, 'wide').change(
      {
        set: {
          rate_limits: [
            { name: 'login', count: 3, period: 3600 },
            { name: 'fast', count: 600, period: 60 },
          ],
        },
      },
      null,
      'test',
    )
    await pause(1_200)
    const ask = (policy: string, lease: string, want: number) => ({
      ...{ lease, nth: 1, policy, bucket: policy, used: 0, has: 0, want, least: 1, spare: 0 },
    })
    const door = () => doorStub(env, 'wide', 'xx-7')
    const granted = async (lease: string) => {
      const [answer] = await door().renew([
        { sid: request.sid, protectMs: 0, tokenRequests: [ask('login', lease, 3), ask('fast', lease, 60)] },
      ])
      return answer?.verdict === 'live' ? answer.grants?.map(({ tokens }) => tokens) : answer
    }
    await door().nudge()
    expect(await granted('a')).toEqual([3, 60])
    await evictDurableObject(stubOf('xx-7'))
    await door().nudge()
    expect(await granted('b')).toEqual([0, 60])
    await roomStub(env, 'wide').change({ reset: 'all' }, null, 'test')
  })

  describe('that is only renewed after a restart', () => {
    const DAY_MS = 24 * 60 * 60_000
    const restarted = async (door: string) => {
      const request = claimOf(door)
      await claim(door, request)
      // The door returns its remaining permits, and then has nothing more to report.
      vi.setSystemTime(Date.now() + 5_000)
      await doorStub(env, 'wide', door).nudge()
      await evictDurableObject(stubOf(door))
      return async () => {
        const [answer] = await doorStub(env, 'wide', door).renew([{ sid: request.sid, protectMs: 0 }])
        return answer?.verdict === 'live' ? answer.expiresMs - Date.now() : answer
      }
    }
    /** Returns how many reports of this incarnation of the door have reached the room. */
    const reports = (door: string) =>
      runInDurableObject(roomStub(env, 'wide') as unknown as DurableObjectStub, (_room, { storage }) => {
        const query = "SELECT json_extract(account, '$.seq') AS seq FROM doors WHERE name = ?"
        return Number(storage.sql.exec(query, door).one().seq)
      })

    it('judges by the live settings, and fetches them again now and then, after the answer', async () => {
      await roomStub(env, 'wide').change({ set: { session_duration: 1_440 } }, null, 'test')
      const renew = await restarted('re-0')
      expect(await renew()).toBe(1.25 * DAY_MS)
      for (let nth = 0; nth < 5; nth++) await renew()
      expect(await reports('re-0')).toBe(1)
      vi.setSystemTime(Date.now() + 10_000)
      for (let nth = 0; nth < 5; nth++) await renew()
      await expect.poll(() => reports('re-0')).toBe(2)
      await roomStub(env, 'wide').change({ reset: 'all' }, null, 'test')
    })

    it('goes on with the settings of the file when the room does not answer, and waits for it once', async () => {
      const renew = await restarted('re-1')
      const sync = vi.spyOn(Room.prototype, 'sync').mockResolvedValue(null)
      for (let nth = 0; nth < 5; nth++) expect(await renew()).toBe(1.25 * 5 * 60_000)
      expect(sync.mock.calls.filter(([report]) => report.door === 're-1')).toHaveLength(1)
    })
  })

  it('counts an ended session until its last lease is over, and no longer', async () => {
    const request = claimOf('xx-4')
    await claim('xx-4', request)
    const active = async () =>
      (await roomStub(env, 'wide').describe()).figures.doors.find(({ name }) => name === 'xx-4')?.active
    await pause(1_200)
    expect(await active()).toBe(1)
    await doorStub(env, 'wide', 'xx-4').end(request.sid, 'left')
    await pause(1_200)
    expect(await active()).toBe(1)
    vi.setSystemTime(Date.now() + 11_000)
    await runDurableObjectAlarm(stubOf('xx-4'))
    expect(await active()).toBe(0)
  })

  it('extends its sessions during an outage by about its length so far, and never twice after a restart', async () => {
    const startMs = Date.now()
    const door = doorStub(env, 'standing', 'sd-0')
    const stub = door as unknown as DurableObjectStub
    const request = claimOf('sd-0')
    const { expiresMs = 0 } = (await door.claim(request)) as { expiresMs?: number }
    await roomStub(env, 'standing').change({ set: { health_pins: { breakers: { origin: 'open' } } } }, null, 'test')
    const movedBy = async (afterMs: number) => {
      vi.setSystemTime(startMs + afterMs)
      await door.nudge()
      return ((await door.session(request.sid))?.expiresMs ?? 0) - expiresMs
    }
    expect(await movedBy(0)).toBe(20_000)
    await evictDurableObject(stub)
    expect(await movedBy(8_000)).toBe(20_000)
    expect(await movedBy(10_500)).toBe(40_000)
    await evictDurableObject(stub)
    expect(await movedBy(31_000)).toBe(71_000)
    await roomStub(env, 'standing').change({ reset: ['health_pins'] }, null, 'test')
    expect(await movedBy(66_000)).toBe(71_000)
  })

  it('revives no session that was counted out, whatever its clock shows and on any host', async () => {
    const startMs = Date.now()
    const door = doorStub(env, 'wide', 'xx-8')
    const first = claimOf('xx-8')
    vi.setSystemTime(startMs)
    await door.claim(first)
    const at = async (ms: number) => {
      vi.setSystemTime(startMs + ms)
      const [answer] = await door.renew([{ sid: first.sid, protectMs: 0 }])
      return answer?.verdict
    }
    vi.setSystemTime(startMs + 58_000)
    await door.nudge()
    expect(await at(56_000)).toBe('ended')
    vi.setSystemTime(startMs + 58_000)
    const second = claimOf('xx-8')
    expect((await door.claim(second)).verdict).toBe('admitted')
    // The door returns its remaining permits, and then has nothing more to report.
    vi.setSystemTime(startMs + 63_000)
    await door.nudge()
    await evictDurableObject(stubOf('xx-8'))
    expect(await at(56_000)).toBe('ended')
    await evictDurableObject(stubOf('xx-8'))
    await door.nudge()
    const active = async () =>
      (await roomStub(env, 'wide').describe()).figures.doors.find(({ name }) => name === 'xx-8')?.active
    expect(await active()).toBe(1)
  })

  it('counts a session out once, even when a clock that was set back admitted it', async () => {
    const startMs = Date.now()
    const door = doorStub(env, 'wide', 'xx-9')
    const active = async (ms: number) => {
      vi.setSystemTime(startMs + ms)
      await door.nudge()
      return (await roomStub(env, 'wide').describe()).figures.doors.find(({ name }) => name === 'xx-9')?.active
    }
    expect(await active(120_000)).toBe(0)
    vi.setSystemTime(startMs)
    await door.claim(claimOf('xx-9'))
    expect(await active(119_000)).toBe(1)
    expect(await active(180_000)).toBe(0)
  })

  it('reports free places by its alarm, without any traffic', async () => {
    await Promise.all(Array.from({ length: 3 }, () => claim('xx-5')))
    await pause(1_200)
    await evictDurableObject(stubOf('xx-5'))
    vi.setSystemTime(Date.now() + 61_000)
    expect(await runDurableObjectAlarm(stubOf('xx-5'))).toBe(true)
    const door = (await roomStub(env, 'wide').describe()).figures.doors.find(({ name }) => name === 'xx-5')
    expect(door?.active).toBe(0)
  })

  describe('forgets', () => {
    const startMs = Date.now()

    /** Wakes the door this many minutes after the start, so that the door deletes old data. */
    async function wake(door: string, minutes: number): Promise<void> {
      vi.setSystemTime(startMs + minutes * 60_000)
      await doorStub(env, 'wide', door).nudge()
      await runInDurableObject(stubOf(door), async (_door, state) => state.storage.setAlarm(Date.now()))
      await runDurableObjectAlarm(stubOf(door))
    }

    const rows = (door: string) =>
      runInDurableObject(stubOf(door), (_door, state) =>
        state.storage.sql
          .exec<{ sid: string }>('SELECT sid FROM sessions ORDER BY sid')
          .toArray()
          .map(({ sid }) => sid),
      )

    it('sessions that no ticket can name any more, and no others', async () => {
      vi.setSystemTime(startMs)
      await claim('xx-6')
      await wake('xx-6', 1)
      expect(await rows('xx-6')).toHaveLength(1)
      // The key lapses after a window of five minutes and a grace of two.
      // Its tickets last two windows and the grace more.
      for (const minutes of [6, 12, 18, 24, 30, 36, 42]) await wake('xx-6', minutes)
      expect(await rows('xx-6')).toEqual([])
    })

    it('no session with a lapsed key while a ticket that was refused before can still be claimed', async () => {
      vi.setSystemTime(startMs)
      const first = claimOf('fo-0')
      await claim('fo-0', first)
      for (const minutes of [6, 12]) await wake('fo-0', minutes)
      vi.setSystemTime(startMs + 13 * 60_000)
      const second = { ...claimOf('fo-0'), key: first.key }
      expect((await claim('fo-0', second)).verdict).toBe('admitted')
      await wake('fo-0', 17.8)
      expect((await claim('fo-0', second)).verdict).toBe('ended')
      for (const minutes of [24, 30, 36, 42, 48]) await wake('fo-0', minutes)
      expect(await rows('fo-0')).toEqual([])
    })

    it('by the live claim window, even when its alarm wakes it', async () => {
      vi.setSystemTime(startMs)
      const room = roomStub(env, 'small')
      const door = doorStub(env, 'small', 'fo-2')
      const stub = door as unknown as DurableObjectStub
      const at = async (minutes: number) => {
        vi.setSystemTime(startMs + minutes * 60_000)
        await door.nudge()
        await runDurableObjectAlarm(stub)
      }
      const first = claimOf('fo-2')
      await door.claim(first)
      for (const minutes of [6, 12]) await at(minutes)
      await room.change({ set: { claim_window: 60 } }, null, 'test')
      const second = { ...claimOf('fo-2'), key: first.key }
      expect((await door.claim(second)).verdict).toBe('admitted')
      await at(12.5)
      await evictDurableObject(stub)
      vi.setSystemTime(startMs + 24 * 60_000)
      await runDurableObjectAlarm(stub)
      expect(await door.session(second.sid)).not.toBeNull()
      await room.change({ reset: 'all' }, null, 'test')
    })

    it('the first session of an invitation, and gives its visitor the one that goes on', async () => {
      const door = doorStub(env, 'wide', 'fo-1')
      const { sid } = claimOf('fo-1')
      const invited = (minutes: number) => {
        const nowMs = startMs + minutes * 60_000
        vi.setSystemTime(nowMs)
        return claim('fo-1', { ...claimOf('fo-1'), sid, takenMs: nowMs })
      }
      await invited(0)
      expect(await invited(2)).toMatchObject({ verdict: 'admitted', sid: `${sid}~1` })
      await door.extend(`${sid}~1`, 3_600_000)
      for (const minutes of [6, 12, 18, 24]) await wake('fo-1', minutes)
      expect(await rows('fo-1')).toEqual([`${sid}~1`])
      expect(await invited(25)).toMatchObject({ sid: `${sid}~1`, issuedMs: startMs + 120_000 })
      expect(await rows('fo-1')).toEqual([`${sid}~1`])
      // Ten more sessions follow, in the order of their numbers.
      for (let nth = 2; nth <= 11; nth++) {
        await door.end(`${sid}~${nth - 1}`, 'left')
        expect(await invited(30 + nth)).toMatchObject({ sid: `${sid}~${nth}` })
      }
    })
  })
})
