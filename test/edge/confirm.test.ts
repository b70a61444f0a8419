import { afterEach, describe, expect, it } from 'vitest'
import { roomStub } from '../../src/settings/env.ts'
import { env, newEdge, settled, Visitor } from '../support/workerd/visitor.ts'

afterEach(settled)

describe('a room that asks before a visit begins', () => {
  it('shows a called visitor a button, and spends a permit only when it is pressed', async () => {
    const edge = newEdge()
    const waits = new Visitor('asking.test', edge)
    await waits.page('/sale?size=4')
    expect((await waits.page('/sale?size=4')).text).toContain('data-state="waiting"')
    const set = { queue_all: false, new_users_per_minute: 60_000 }
    expect(await roomStub(env, 'asking').change({ set }, null, 'test')).toMatchObject({ kind: 'changed' })
    const state = async () => /id="room" data-state="(\w+)"/.exec((await waits.page('/sale?size=4')).text)?.[1]
    await expect.poll(state, { timeout: 10_000, interval: 500 }).toBe('turn')
    const { text, objectCalls } = await waits.page('/sale?size=4')
    expect(objectCalls).toBe(0)
    expect(text).toContain('<h1 id="headline">It is your turn</h1>')
    expect(text).toMatch(/<p id="lead">Go in within (5|4) minutes\.<\/p>/)
    const { place } = await waits.poll(false)
    expect(place).toMatchObject({ state: 'called', claimInSeconds: expect.any(Number) })
    const link = /<a class="button" href="([^"]+)">Open the page</.exec(text)?.[1] ?? ''
    const address = link.replace(/&#x([0-9A-F]+);/g, (_, code) => String.fromCharCode(Number.parseInt(code, 16)))
    const pressed = await waits.page(address.replaceAll('&amp;', '&'))
    expect([pressed.status, pressed.response.headers.get('Location')]).toEqual([303, '/sale?size=4'])
    expect(pressed.objectCalls).toBe(1)
    expect((await waits.page('/sale?size=4')).atOrigin).not.toBeNull()
  })

  it('lets a newcomer who has not waited in at once', async () => {
    const enters = async () => (await new Visitor('asking.test', newEdge()).page()).atOrigin !== null
    await expect.poll(enters, { timeout: 4_000, interval: 500 }).toBe(true)
  })
})
