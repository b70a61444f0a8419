import { afterAll, afterEach, describe, expect, it, vi } from 'vitest'
import { roomStub } from '../../../src/settings/env.ts'
import { signInvitation } from '../../../tools/support/invitation.ts'
import { claimsOf, env, newEdge, settled, Visitor } from '../../support/workerd/visitor.ts'

const HOUR_MS = 3_600_000
const pause = (ms: number) => new Promise(resolve => setTimeout(resolve, ms))
const pass = (ms: number) => vi.setSystemTime(Date.now() + ms)
const change = (room: string, set: object) => roomStub(env, room).change({ set }, null, 'test')
const invitation = (room: string, more: { lane?: string; sub?: string; expiresMs?: number } = {}) =>
  signInvitation(env.ROOM_KEYS ?? '', { room, expiresMs: Date.now() + HOUR_MS, ...more })

afterEach(settled)
afterAll(() => {
  vi.useRealTimers()
})

async function opens(visitor: Visitor, text: string, path = '/sale?size=4'): Promise<Response> {
  const { response, atOrigin } = await visitor.page(`${path}&invite=${text}`)
  expect(atOrigin).toBeNull()
  return response
}

describe('an invitation by a link', () => {
  it('is removed from the address and kept in a cookie that the origin never receives', async () => {
    const visitor = new Visitor('invited.test', newEdge())
    const response = await opens(visitor, await invitation('invited', { lane: 'vip' }))
    expect(response.status).toBe(303)
    expect(response.headers.get('Location')).toBe('/sale?size=4')
    expect(response.headers.get('Referrer-Policy')).toBe('no-referrer')
    expect(response.headers.get('Set-Cookie')).toMatch(
      /^__Host-antesala-invited\.invite=ey.*; Path=\/; Max-Age=3\d{3}; HttpOnly/,
    )
    const { text } = await visitor.page('/sale?size=4')
    expect(text).toContain('You are in the priority line.')
    expect(claimsOf(visitor.jar.get('__Host-antesala-invited') ?? '')).toMatchObject({ lane: 'vip' })
  })

  it('leads to no other site, whatever its path', async () => {
    const visitor = new Visitor('invited.test', newEdge())
    const response = await opens(visitor, await invitation('invited', { lane: 'vip' }), '//elsewhere.test/?x=1')
    expect(response.headers.get('Location')).toBe('/.//elsewhere.test/?x=1')
  })

  it('keeps the data of a form', async () => {
    const visitor = new Visitor('invited.test', newEdge())
    const { response } = await visitor.page(`/?invite=${await invitation('invited')}`, { method: 'POST', body: 'a=1' })
    expect([response.status, response.headers.get('Location')]).toEqual([307, '/'])
  })

  it('that is not valid makes its visitor an ordinary one, and the page shows this', async () => {
    const visitor = new Visitor('invited.test', newEdge())
    await opens(visitor, (await invitation('invited', { lane: 'vip' })).slice(0, -4))
    const { text, status } = await visitor.page('/sale')
    expect([status, text.includes('Your invitation is not valid')]).toEqual([503, true])
    expect((await visitor.poll()).place).toMatchObject({ state: 'waiting', lane: 'main', invitation: 'invalid' })
  })

  it('that is not valid takes nothing from a visitor with a valid one', async () => {
    const visitor = new Visitor('invited.test', newEdge())
    await opens(visitor, await invitation('invited', { lane: 'vip' }))
    await opens(visitor, 'nonsense')
    expect((await visitor.data('/')).text).toContain('"lane":"vip"')
  })

  it('is an ordinary parameter in a room without invitations', async () => {
    const { atOrigin } = await new Visitor('wide.test', newEdge()).page('/?invite=friend')
    expect(atOrigin?.url).toContain('invite=friend')
  })
})

describe('an invitation in a header', () => {
  const withHeader = (text: string) => ({ headers: { 'Waiting-Room-Invite': text } })

  it('puts a program in its lane', async () => {
    const visitor = new Visitor('invited.test', newEdge())
    const { text } = await visitor.data('/', withHeader(await invitation('invited', { lane: 'press' })))
    expect(JSON.parse(text)).toMatchObject({ state: 'waiting', lane: 'press', invitation: 'valid' })
  })

  it('is invalid when it has expired or is for another room', async () => {
    const expired = await invitation('invited', { lane: 'vip', expiresMs: Date.now() - 1_000 })
    for (const text of [expired, await invitation('guests', { lane: 'vip' })]) {
      const answer = await new Visitor('invited.test', newEdge()).data('/', withHeader(text))
      expect(JSON.parse(answer.text)).toMatchObject({ state: 'waiting', lane: 'main', invitation: 'invalid' })
    }
  })

  it('leads to the main lane when its own lane does not exist', async () => {
    const { text } = await new Visitor('invited.test', newEdge()).data(
      '/',
      withHeader(await invitation('invited', { lane: 'gold' })),
    )
    expect(JSON.parse(text)).toMatchObject({ lane: 'main', invitation: 'valid' })
  })
})

describe('a visitor in the main line', () => {
  it('changes lanes once with an invitation, and is counted in the new lane', async () => {
    const edge = newEdge()
    const visitor = new Visitor('invited.test', edge)
    await visitor.page()
    await visitor.poll()
    // The edge sends its counts with the next report, and the page waits for the room.
    pass(2_000)
    await visitor.page()
    // The doors that earlier visitors asked report their counts as well.
    await pause(2_500)
    const waitingInMain = async () => (await roomStub(env, 'invited').describe()).figures.lanes[0]?.waiting ?? 0
    const counted = await waitingInMain()
    const kept = visitor.token
    const before = claimsOf(kept)
    await opens(visitor, await invitation('invited', { lane: 'vip' }))
    await visitor.page()
    const after = claimsOf(visitor.jar.get('__Host-antesala-invited') ?? '')
    expect([before.lane, after.lane, before.sub === after.sub]).toEqual(['main', 'vip', false])
    pass(4_000)
    await visitor.page()
    pass(4_000)
    await visitor.page()
    expect(claimsOf(visitor.jar.get('__Host-antesala-invited') ?? '')).toMatchObject({ sub: after.sub, key: after.key })
    await pause(2_500)
    const { figures } = await roomStub(env, 'invited').describe()
    const vip = figures.lanes.find(({ name }) => name === 'vip')
    expect([vip?.share, vip?.waiting]).toEqual([0.4, 1])
    expect(figures.totals.changed_lanes).toBe(1)
    // A visitor who shows the old ticket again removes no other visitor from the line.
    const moved = visitor.token
    for (let again = 0; again < 3; again++) {
      visitor.token = kept
      await visitor.page()
    }
    visitor.token = moved
    // The edge sends its counts with the next report.
    pass(2_000)
    await visitor.page()
    await pause(2_500)
    expect((await roomStub(env, 'invited').describe()).figures.totals.changed_lanes).toBe(1)
    expect(await waitingInMain()).toBe(counted - 1)
  })

  it('keeps the place in a room that rejects newcomers, despite an invitation', async () => {
    const visitor = new Visitor('invited.test', newEdge())
    await visitor.page()
    await visitor.poll()
    const before = claimsOf(visitor.token)
    await change('invited', { queue_all: false, new_users_per_minute: 0, queueing_method: 'reject' })
    pass(2_000)
    await opens(visitor, await invitation('invited', { lane: 'vip' }))
    expect((await visitor.page()).text).toContain('You are in line')
    pass(4_000)
    expect((await visitor.poll()).place).toMatchObject({ state: 'waiting', lane: 'main' })
    expect(claimsOf(visitor.token)).toMatchObject({ sub: before.sub, key: before.key })
    await change('invited', { queue_all: true, new_users_per_minute: 6_000, queueing_method: 'fifo' })
    pass(2_000)
  })

  it('keeps the place when the lane is removed', async () => {
    const visitor = new Visitor('invited.test', newEdge())
    await opens(visitor, await invitation('invited', { lane: 'press' }))
    await visitor.page()
    const before = claimsOf(visitor.jar.get('__Host-antesala-invited') ?? '')
    await change('invited', { lanes: [{ name: 'vip', share: 0.4 }] })
    pass(2_000)
    expect((await visitor.poll()).place).toMatchObject({ state: 'waiting', lane: 'main' })
    expect(claimsOf(visitor.jar.get('__Host-antesala-invited') ?? '')).toMatchObject({
      sub: before.sub,
      key: before.key,
    })
    await change('invited', { queue_all: false })
    let admitted = false
    // A door reports once a second, by a timer that does not follow the mocked time.
    for (let tries = 0; tries < 40 && !admitted; tries++) {
      pass(2_000)
      await pause(200)
      admitted = (await visitor.page('/in')).atOrigin !== null
    }
    expect(admitted).toBe(true)
    expect(claimsOf(visitor.jar.get('__Host-antesala-invited') ?? '').sub).toBe(before.sub)
    await change('invited', { queue_all: true, lanes: [{ name: 'vip', share: 0.4 }] })
  })
})

describe('an invite-only room', () => {
  it('refuses an uninvited visitor without a ticket, and forwards nothing', async () => {
    const visitor = new Visitor('guests.test', newEdge())
    const page = await visitor.page()
    expect([page.status, page.atOrigin, visitor.jar.size]).toEqual([403, null, 0])
    expect(page.text).toContain('You need an invitation')
    const data = await visitor.data('/', { method: 'POST', body: 'x' })
    expect(data.status).toBe(403)
    expect(JSON.parse(data.text)).toMatchObject({
      title: 'An invitation is needed',
      state: 'rejected',
      inviteOnly: true,
    })
    expect((await visitor.send('/a.png', { headers: { 'Sec-Fetch-Dest': 'image' } })).status).toBe(503)
  })

  it('asks for the invitation by a form to the same address, whose fields keep the query', async () => {
    const visitor = new Visitor('guests.test', newEdge())
    const { text, response } = await visitor.page('//sale?size=4&q=%22%3E%3Cb%3E&invite2=?x')
    expect(text).toContain('<form method="get" action="&#x2F;.&#x2F;&#x2F;sale"')
    const fields = [...text.matchAll(/<input type="hidden" name="(.*?)" value="(.*?)">/g)].map(([, ...field]) => field)
    expect(fields).toEqual([
      ['size', '4'],
      ['q', '&quot;&gt;&lt;b&gt;'],
      ['invite2', '?x'],
    ])
    expect(response.headers.get('Content-Security-Policy')).not.toContain('form-action')
  })

  it('takes an invitation that was typed with spaces, or pasted as a whole link', async () => {
    const text = await invitation('guests')
    for (const typed of [`+${text}++`, encodeURIComponent(` https://a.test/?x=1&invite=${text}&y=2#z`)]) {
      const visitor = new Visitor('guests.test', newEdge())
      const response = await opens(visitor, typed)
      expect(response.headers.get('Set-Cookie')).toContain(`.invite=${text};`)
    }
  })

  it('explains to a visitor that the invitation is not valid', async () => {
    const visitor = new Visitor('guests.test', newEdge())
    await opens(visitor, 'ey.ey.ey')
    expect((await visitor.page()).text).toContain('This invitation is not valid')
  })

  it('refuses uninvited visitors even when its method is passthrough', async () => {
    await change('guests', { queueing_method: 'passthrough' })
    pass(2_000)
    const uninvited = new Visitor('guests.test', newEdge())
    expect((await uninvited.page()).status).toBe(403)
    expect((await uninvited.poll()).place).toMatchObject({ state: 'none' })
    await change('guests', { queueing_method: 'fifo' })
    pass(2_000)
  })

  it('gives one subject one session in any number of browsers, and a new one after it ends', async () => {
    const edge = newEdge()
    const text = await invitation('guests', { sub: 'ada@example.org' })
    const [one, two, other] = [0, 1, 2].map(() => new Visitor('guests.test', edge)) as [Visitor, Visitor, Visitor]
    const sids: (string | undefined)[] = []
    for (const visitor of [one, two]) {
      await opens(visitor, text)
      sids.push((await visitor.page()).atOrigin?.headers['waiting-room-session'])
    }
    expect(sids[0]).toMatch(/^xx-[0-3]\.[\w-]{22}$/)
    expect(sids[1]).toBe(sids[0])
    await opens(other, await invitation('guests', { sub: 'bob@example.org' }))
    expect((await other.page()).atOrigin?.headers['waiting-room-session']).not.toBe(sids[0])
    const door = sids[0]?.split('.')[0]
    const active = async () =>
      (await roomStub(env, 'guests').describe()).figures.doors.find(({ name }) => name === door)
    await pause(1_500)
    expect((await active())?.active).toBeGreaterThanOrEqual(1)
    await one.send('/.waiting-room/leave?room=guests', { method: 'POST' })
    pass(12_000)
    const again = (await one.page()).atOrigin?.headers['waiting-room-session']
    expect(again).toBe(`${sids[0]}~1`)
    expect((await two.page()).atOrigin?.headers['waiting-room-session']).toBe(again)
  })
})
