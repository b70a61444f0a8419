import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { StoredKey } from '../../src/tokens/keyring.ts'
import { addKeys, dropKeys, newKeys, promoteKeys } from '../../src/tokens/rotation.ts'
import { freePort } from '../../tools/support/ports.ts'
import { pause, Visitor } from '../support/node/browser-like.ts'
import { type Origin, type Site, startOrigin, startSite } from '../support/node/served.ts'

let origin: Origin
let storage: string

beforeAll(async () => {
  origin = await startOrigin((request, response) =>
    response.end(`inside as ${request.headers['waiting-room-session']}`),
  )
  storage = mkdtempSync(join(tmpdir(), 'antesala-test-'))
})

afterAll(async () => {
  await origin.stop()
  rmSync(storage, { recursive: true, force: true })
})

describe('restarts on the same storage during a rotation of the keys', () => {
  it('keep every session and every place', async () => {
    const rooms = [
      { name: 'shop', host: '*', total_active_users: 3, new_users_per_minute: 60_000, session_duration: 10 },
    ]
    const port = await freePort()
    const start = (keys: readonly StoredKey[]): Promise<Site> =>
      startSite({ origin: origin.url, rooms, storage, port, roomKeys: JSON.stringify({ keys }) })
    const first = await newKeys('a')
    const added = await addKeys(first, 'b')
    const promoted = promoteKeys(added)

    let site = await start(first)
    const inside = Array.from({ length: 3 }, () => new Visitor(site.url, 'shop'))
    for (const visitor of inside) {
      await visitor.get('/')
      await visitor.get('/')
    }
    const sids = inside.map(visitor => visitor.claims.sub)
    const waiting = Array.from({ length: 20 }, () => new Visitor(site.url, 'shop'))
    for (const visitor of waiting) await visitor.get('/')
    await pause(2_500)
    for (const visitor of waiting) await visitor.poll()
    await pause(5_500)
    const before = await Promise.all(waiting.map(visitor => visitor.poll()))
    const keys = waiting.map(visitor => visitor.claims.key)
    expect(before.filter(place => place?.state === 'waiting' && place.position !== null).length).toBeGreaterThan(10)

    for (const next of [added, promoted]) {
      await site.stop()
      site = await start(next)
      const answers = await Promise.all(inside.map(visitor => visitor.get('/')))
      expect(answers.map(({ text }) => text)).toEqual(sids.map(sid => `inside as ${sid}`))
      await pause(2_500)
      const places = await Promise.all(waiting.map(visitor => visitor.poll()))
      places.forEach((place, i) => {
        const shown = before[i]?.position
        if (shown && place?.position) expect(place.position).toBeLessThanOrEqual(shown)
      })
      expect(waiting.map(visitor => visitor.claims.key)).toEqual(keys)
    }
    expect((await site.describe('shop')).figures).toMatchObject({ active: 3 })
    await site.stop()
    expect(dropKeys(promoted)).toHaveLength(2)
  }, 90_000)

  it('begin with a SIGTERM that ends the runtime', async () => {
    const site = await startSite({
      origin: origin.url,
      rooms: [{ name: 'x', host: '*', total_active_users: 1, new_users_per_minute: 1 }],
    })
    const ended = once(site.process, 'exit')
    site.process.kill('SIGTERM')
    await ended
    await expect(fetch(`${site.url}/`)).rejects.toThrow()
  })
})
