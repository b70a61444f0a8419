/** The recipe of docs/single-page-apps.md, with a room of fake answers. */
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'

interface Place {
  readonly state: string
  readonly pageUrl: string
}
type Show = (place: Place | null) => unknown

const path: string = '../../docs/snippets/single-page-app/room.js'
const { roomFetch } = (await import(path)) as {
  readonly roomFetch: (input: string, init: RequestInit | undefined, show: Show) => Promise<Response>
}

const API = 'https://api.shop.test/cart'
const POLL = 'https://api.shop.test/.waiting-room/status?room=shop&claim=1'

function place(state: string): string {
  const pageUrl = '/.waiting-room/wait?room=shop'
  return JSON.stringify({
    state,
    statusUrl: new URL(POLL).pathname + new URL(POLL).search,
    pageUrl,
    pollAfterSeconds: 0,
  })
}

const inLine = (state = 'waiting') =>
  new Response(place(state), {
    status: 503,
    headers: { 'Waiting-Room-State': state, 'Content-Type': 'application/json' },
  })
const polled = (state: string) => new Response(place(state), { headers: { 'Waiting-Room-State': state } })
const tooEarly = () => new Response('{}', { status: 429, headers: { 'Waiting-Room-State': 'limited' } })
const ofTheSite = () => new Response('{"items":7}', { headers: { 'Content-Type': 'application/json' } })

/** Answers requests in turn. Returns what was asked. */
function answers(...responses: readonly Response[]): string[] {
  const left = [...responses]
  const asked: string[] = []
  vi.stubGlobal('fetch', async (input: RequestInfo | URL, init?: RequestInit) => {
    const { method, url } = new Request(input, init)
    asked.push(`${method} ${url}`)
    const answer = left.shift() ?? Response.error()
    // A fetch without a connection rejects.
    if (answer.type === 'error') throw new TypeError('fetch failed')
    return answer
  })
  return asked
}

/** A tab of a browser. */
beforeEach(() => {
  const kept = new Map<string, string>()
  const getItem = (key: string) => kept.get(key) ?? null
  vi.stubGlobal('sessionStorage', { getItem, setItem: (key: string, value: string) => kept.set(key, value) })
})
afterEach(() => vi.unstubAllGlobals())

describe('the recipe for fetch', () => {
  it('waits at the pace of the room, and sends a safe request again', async () => {
    const asked = answers(inLine(), polled('waiting'), tooEarly(), polled('called'), polled('admitted'), ofTheSite())
    const shown: (string | null)[] = []
    const answer = await roomFetch(API, undefined, now => shown.push(now?.state ?? null))
    expect(await answer.json()).toEqual({ items: 7 })
    expect(asked).toEqual([`GET ${API}`, ...Array.from({ length: 4 }, () => `GET ${POLL}`), `GET ${API}`])
    expect(shown).toEqual(['waiting', 'waiting', 'called', null])
  })

  it('lets requests that meet the same line share one wait', async () => {
    const asked = answers(inLine(), inLine(), polled('admitted'), ofTheSite(), ofTheSite())
    const shown: (string | null)[] = []
    const show: Show = now => shown.push(now?.state ?? null)
    const both = await Promise.all([roomFetch(API, undefined, show), roomFetch(API, undefined, show)])
    expect(await Promise.all(both.map(answer => answer.json()))).toEqual([{ items: 7 }, { items: 7 }])
    expect(asked.filter(line => line.endsWith(POLL))).toEqual([`GET ${POLL}`])
    expect(shown).toEqual(['waiting', 'waiting', null])
  })

  it('goes on waiting after a poll without a connection', async () => {
    const asked = answers(inLine(), Response.error(), polled('admitted'), ofTheSite())
    expect((await roomFetch(API, undefined, () => undefined)).status).toBe(200)
    expect(asked.filter(line => line === `GET ${POLL}`)).toHaveLength(2)
  })

  it('stops waiting when the request is aborted', async () => {
    const left = new AbortController()
    answers(inLine(), polled('admitted'), ofTheSite())
    const outcome = roomFetch(API, { signal: left.signal }, now => now && left.abort(new Error('the page has changed')))
    await expect(outcome).rejects.toThrow('the page has changed')
  })

  it('hands an answer to HEAD back, because there is no place in it', async () => {
    answers(new Response(null, { status: 503, headers: { 'Waiting-Room-State': 'waiting' } }))
    expect((await roomFetch(API, { method: 'HEAD' }, () => undefined)).status).toBe(503)
  })

  it('hands a request that changes something back after the wait', async () => {
    const asked = answers(inLine(), polled('admitted'))
    expect((await roomFetch(API, { method: 'POST', body: '{}' }, () => undefined)).status).toBe(503)
    expect(asked).toEqual([`POST ${API}`, `GET ${POLL}`])
  })

  it('names the page that shows why there is no place', async () => {
    answers(inLine('rejected'))
    const outcome = roomFetch(API, undefined, () => undefined)
    await expect(outcome).rejects.toMatchObject({ pageUrl: '/.waiting-room/wait?room=shop' })
  })
})
