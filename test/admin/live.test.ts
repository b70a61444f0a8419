/** The WebSocket of a dashboard, over the real objects. */
import { evictDurableObject } from 'cloudflare:test'
import { afterEach, describe, expect, it, onTestFinished, vi } from 'vitest'
import { operatorsStub, roomStub } from '../../src/settings/env.ts'
import { type Edge, env, newEdge, send, settled } from '../support/workerd/visitor.ts'

const ADMIN = String(env.ADMIN_TOKEN)
const API = 'https://admin.test/.waiting-room/api/v1'
const inBase64 = (text: string) => btoa(text).replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', '')

afterEach(settled)

const api = (edge: Edge, path: string, init: RequestInit = {}) =>
  send(edge, new Request(API + path, { ...init, headers: { Authorization: `Bearer ${ADMIN}` } }))
const patch = (room: string, change: unknown) =>
  api(newEdge(), `/rooms/${room}`, { method: 'PATCH', body: JSON.stringify(change) })

function ask(edge: Edge, room: string, token = ADMIN, more: Record<string, string> = {}) {
  const protocols = `antesala.live, antesala.token.${inBase64(token)}`
  const headers = { Upgrade: 'websocket', 'Sec-WebSocket-Protocol': protocols, ...more }
  return send(edge, new Request(`${API}/rooms/${room}/live`, { headers }))
}

/** Opens a socket, and returns what it receives. */
async function open(room: string, { edge = newEdge(), token = ADMIN } = {}) {
  const { response } = await ask(edge, room, token)
  const socket = response.webSocket as WebSocket
  socket.accept()
  const got: { news: number; pongs: number; code: number | null } = { news: 0, pongs: 0, code: null }
  socket.addEventListener('message', ({ data }) => void (data === 'pong' ? got.pongs++ : got.news++))
  socket.addEventListener('close', ({ code }) => {
    got.code = code
  })
  onTestFinished(() => socket.close())
  return { response, socket, got }
}

const makeToken = async (edge: Edge, role: string) =>
  JSON.parse((await api(edge, '/tokens', { method: 'POST', body: JSON.stringify({ name: 'ana', role }) })).text)

describe('the WebSocket of a dashboard', () => {
  it('opens for every role, and names its subprotocol and no token in the answer', async () => {
    const edge = newEdge()
    const { token } = await makeToken(edge, 'viewer')
    const { response } = await open('wide', { edge, token })
    expect(response.status).toBe(101)
    expect(response.headers.get('Sec-WebSocket-Protocol')).toBe('antesala.live')
    expect(JSON.stringify([...response.headers])).not.toContain(inBase64(token))
  })

  it.each([
    ['a wrong token', 401, 'wide', `${ADMIN}x`, {}],
    ['no token', 401, 'wide', ADMIN, { 'Sec-WebSocket-Protocol': 'antesala.live' }],
    ['a token that is no base64url', 401, 'wide', ADMIN, { 'Sec-WebSocket-Protocol': 'antesala.token.%%%' }],
    ['an unknown room', 404, 'nowhere', ADMIN, {}],
    ['another subprotocol', 426, 'wide', ADMIN, { 'Sec-WebSocket-Protocol': `antesala.token.${inBase64(ADMIN)}` }],
  ])('is refused with %s', async (_what, status, room, token, headers) => {
    expect((await ask(newEdge(), room, token, headers)).status).toBe(status)
  })

  it('is refused for a plain request', async () => {
    const { status, text } = await api(newEdge(), '/rooms/wide/live')
    expect([status, JSON.parse(text).title]).toEqual([426, 'This is a WebSocket'])
  })

  it("brings a hint of another operator's change, also to an object that slept", async () => {
    const { got } = await open('wide')
    await evictDurableObject(roomStub(env, 'wide') as unknown as DurableObjectStub)
    await patch('wide', { message: 'Two loaves a person.' })
    await expect.poll(() => got.news).toBe(1)
    expect(got.code).toBeNull()
  })

  it('brings at most one hint a second, and the last change has one', async () => {
    const { got } = await open('wide')
    await patch('wide', { message: 'Bread.' })
    await expect.poll(() => got.news, { timeout: 5_000 }).toBe(1)
    for (let i = 0; i < 5; i++) await patch('wide', { message: `Loaf ${i}.` })
    await expect.poll(() => got.news, { timeout: 5_000 }).toBe(2)
    await scheduler.wait(1_500)
    expect(got.news).toBe(2)
  })

  it('brings no hint from other rooms', async () => {
    const [here, there] = [await open('wide'), await open('checkout')]
    await patch('checkout', { message: 'Not here.' })
    await expect.poll(() => there.got.news).toBeGreaterThanOrEqual(1)
    expect(here.got.news).toBe(0)
  })

  it('answers a ping, and closes at any other message', async () => {
    const { socket, got } = await open('wide')
    socket.send('ping')
    await expect.poll(() => got.pongs).toBe(1)
    socket.send('more')
    await expect.poll(() => got.code).toBe(1_008)
  })

  it('is closed at once when its token is revoked, and others stay', async () => {
    const edge = newEdge()
    const [ana, bo] = [await makeToken(edge, 'operator'), await makeToken(edge, 'operator')]
    const [hers, his] = [await open('wide', { edge, token: ana.token }), await open('wide', { edge, token: bo.token })]
    await api(edge, `/tokens/${ana.id}`, { method: 'DELETE' })
    await expect.poll(() => hers.got.code).toBe(4_001)
    await patch('wide', { message: 'Ana has left.' })
    await expect.poll(() => his.got.news).toBeGreaterThanOrEqual(1)
    expect([his.got.code, hers.got.news]).toEqual([null, 0])
    await operatorsStub(env).revokeToken(bo.id, 'test')
  })

  it('ends after a quarter of an hour, so that the token is checked again', async () => {
    const { got } = await open('wide')
    vi.setSystemTime(Date.now() + 15 * 60_000 + 1)
    await patch('wide', { message: 'Much later.' })
    await expect.poll(() => got.code).toBe(4_000)
    vi.useRealTimers()
    expect(got.news).toBe(0)
  })

  it('is refused beyond a hundred dashboards of one room', async () => {
    const edge = newEdge()
    const sockets: WebSocket[] = []
    for (let i = 0; i < 100; i++) sockets.push((await open('checkout', { edge })).socket)
    expect((await ask(edge, 'checkout')).status).toBe(503)
    for (const socket of sockets.slice(0, 10)) socket.close()
    await expect.poll(async () => (await ask(edge, 'checkout')).status).toBe(101)
  })
})
