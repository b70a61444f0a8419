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

  it('keeps the referrer for the first request to the site, which comes after the page for waiting', async () => {
    const visitor = new Visitor('asking.test', newEdge())
    const Referer = 'https://news.example/story'
    await roomStub(env, 'asking').change({ set: { queue_all: true } }, null, 'test')
    await expect
      .poll(async () => (await new Visitor('asking.test', newEdge()).page()).status, { timeout: 4_000 })
      .toBe(503)
    await visitor.page('/sale', { headers: { Referer } })
    await visitor.page('/sale')
    await roomStub(env, 'asking').change({ set: { queue_all: false } }, null, 'test')
    const presses = async () => (await visitor.page('/.waiting-room/wait?room=asking&enter=1&to=/sale')).status
    await expect.poll(presses, { timeout: 10_000, interval: 500 }).toBe(303)
    expect(await presses()).toBe(303)
    expect((await visitor.page('/sale')).atOrigin?.headers['waiting-room-referrer']).toBe(Referer)
    expect((await visitor.page('/sale')).atOrigin?.headers['waiting-room-referrer']).toBeUndefined()
  })

  it('lets a visitor in at once where the page of an event has no way to answer', async () => {
    const visitor = new Visitor('asking.test', newEdge())
    const set = (more: object) => roomStub(env, 'asking').change({ set: more }, null, 'test')
    const at = (ms: number) => new Date(Date.now() + ms).toISOString()
    const custom_page_html = "<script>let to = '{{{statusUrl}}}'</script>"
    const event = { name: 'sale', event_start_time: at(-60_000), event_end_time: at(600_000), custom_page_html }
    await set({ queue_all: true, events: [event] })
    const page = async (path: string) => (await visitor.page(path)).text
    await expect.poll(() => page('/'), { timeout: 4_000, interval: 500 }).toContain("let to = '/.waiting")
    await set({ queue_all: false })
    await expect.poll(async () => (await visitor.page()).atOrigin, { timeout: 10_000, interval: 500 }).not.toBeNull()
    const next = new Visitor('asking.test', newEdge())
    await set({
      queue_all: true,
      events: [{ ...event, custom_page_html: "<script>let to = '{{{enterUrl}}}'</script>" }],
    })
    const enters = async () => (await next.page("/a'-alert(1)-'")).text
    await expect.poll(enters, { timeout: 4_000, interval: 500 }).toMatch(/let to = '[^']*a%27-alert\(1\)-%27'</)
    await roomStub(env, 'asking').change({ reset: 'all' }, null, 'test')
    await set({ queue_all: false })
  })
})
