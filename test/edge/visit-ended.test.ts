import { afterEach, expect, it, vi } from 'vitest'
import { roomStub } from '../../src/settings/env.ts'
import { env, newEdge, settled, Visitor } from '../support/workerd/visitor.ts'

const pause = (ms: number) => new Promise(resolve => setTimeout(resolve, ms))
/** The session of this room lasts 6 s, and 7.5 s after its last renewal. */
const SESSION_OVER_MS = 8_000

afterEach(async () => {
  await roomStub(env, 'pausing').change({ reset: 'all' }, null, 'test')
  await settled()
})

it('a visitor whose session ended is told why, and stands at the front', async () => {
  const edge = newEdge()
  const visitor = new Visitor('pausing.test', edge)
  await visitor.page()
  expect((await visitor.page()).status).toBe(200)
  const gone = new Visitor('pausing.test', edge)
  await gone.page()
  await gone.page()
  await gone.send('/.waiting-room/leave?room=pausing', { method: 'POST' })
  await roomStub(env, 'pausing').change({ set: { queue_all: true } }, null, 'test')
  await vi.waitUntil(async () => (await new Visitor('pausing.test', edge).page()).text.includes('in line'), 10_000)
  await pause(SESSION_OVER_MS)
  const { text, status } = await visitor.page()
  expect(status).toBe(503)
  expect(text).toContain('Your visit ended because nothing was opened for less than a minute.')
  expect(text).toContain('You are at the front')
  // The note is about this visit only.
  expect((await visitor.page()).text).not.toContain('Your visit ended')
  const left = await gone.data()
  expect(JSON.parse(left.text).ended).toBeUndefined()
})
