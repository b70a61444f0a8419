import { evictDurableObject, runInDurableObject } from 'cloudflare:test'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { newHealth } from '../../../src/core/health/state.ts'
import { newSamples } from '../../../src/core/history/samples.ts'
import { HealthStore } from '../../../src/room/health/store.ts'
import { roomStub } from '../../../src/settings/env.ts'
import { env } from '../../support/workerd/visitor.ts'

const ROOM = 'own'
const stub = () => roomStub(env, ROOM) as unknown as DurableObjectStub

/** Stores a state in the form of another version, and restarts the room. Returns the lines that the room then logs. */
async function logAfter(fact: string, state: unknown): Promise<string[]> {
  await roomStub(env, ROOM).describe()
  await runInDurableObject(stub(), (_room, { storage }) => {
    storage.sql.exec("DELETE FROM facts WHERE name IN ('health', 'origin_health')")
    storage.sql.exec('INSERT INTO facts (name, value) VALUES (?, ?)', fact, JSON.stringify(state))
  })
  await evictDurableObject(stub())
  const log = vi.spyOn(console, 'info')
  await roomStub(env, ROOM).describe()
  return log.mock.calls.map(([line]) => String(line)).filter(line => line.includes('health'))
}

async function figures() {
  return (await roomStub(env, ROOM).describe()).figures.health
}

afterEach(() => vi.restoreAllMocks())

describe('the stored health of a room', () => {
  it('of version 0.1.0 begins anew, with one line in the log, and is kept for that version', async () => {
    const breaker = { state: 'open', sinceMs: Date.now(), untilMs: Date.now() + 60_000, failures: 1, goodProbes: 0 }
    const old = {
      upstreams: {
        origin: { breaker, counts: { satisfied: 1, tolerating: 0, frustrated: 0, failed: 9 }, thinWindows: 0 },
      },
      ceiling: {
        sessions: 3,
        fastTo: null,
        badWindows: 0,
        roomyWindows: 0,
        cutAtMs: 1,
        trouble: 5,
        borne: 4,
        range: 9,
      },
      windowBeganMs: Date.now(),
      insideBefore: 4,
      isRationed: true,
      minute: { minute: 1, upstreams: {} },
    }
    const lines = await logAfter('health', old)
    expect(lines).toEqual([expect.stringContaining('"event":"health-begun-anew"')])
    expect(await figures()).toMatchObject({ state: 'well', ceiling: null })
    await runInDurableObject(stub(), (_room, { storage }) => {
      const { value } = storage.sql.exec<{ value: string }>("SELECT value FROM facts WHERE name = 'health'").one()
      expect(JSON.parse(value)).toEqual(old)
    })
  })

  it('of a later version begins anew, with one line in the log', async () => {
    const lines = await logAfter('origin_health', { version: 99, ceiling: 'a form that is unknown here' })
    expect(lines).toEqual([expect.stringContaining('"event":"health-begun-anew"')])
    expect(await figures()).toMatchObject({ state: 'well', ceiling: null })
  })

  it('takes no session for gone for a minute after a restart, and for six after one with a new version', async () => {
    const stored = { ...newHealth(0), samples: newSamples(0), condition: { state: 'well', sinceMs: 0 } } as const
    await roomStub(env, ROOM).describe()
    await runInDurableObject(stub(), (_room, { storage }) => {
      const store = new HealthStore(storage.sql)
      const knownFromMs = () => store.load(0).presence.knownFromMs
      store.save(stored)
      expect(knownFromMs()).toBe(60_000)
      store.save({ ...stored, version: 1 })
      expect(knownFromMs()).toBe(360_000)
    })
  })

  it('goes on after an eviction', async () => {
    const since = Date.now() - 60_000
    const ceiling = { sessions: 7, fastTo: null, badWindows: 0, roomyWindows: 0, tightWindows: 0 }
    const state = { version: 2, ceiling: { ...ceiling, cutAtMs: since, trouble: 9, borne: 7 } }
    const lines = await logAfter('origin_health', { ...state, condition: { state: 'slowed', sinceMs: since } })
    expect(lines).toEqual([])
    expect(await figures()).toMatchObject({ state: 'slowed', sinceMs: since, ceiling: 7 })
  })
})
