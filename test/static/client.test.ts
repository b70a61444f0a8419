/** The script for sites (`static/client.js`): the parts that need no page. `test/browser` has the others. */
import { expect, it, vi } from 'vitest'

type Wait = (room: string, isSafe: boolean) => Promise<boolean>
type WaitingFetch = (send: typeof fetch, wait: Wait, note: () => void) => typeof fetch

const path: string = '../../static/client.js'
const { waitingFetch } = (await import(path)) as { readonly waitingFetch: WaitingFetch }

const API = 'https://shop.test/api'
const ofTheSite = () => new Response('of the site')
const marked = (state: string) =>
  new Response('{}', { status: 503, headers: { 'Waiting-Room-State': state, 'Waiting-Room-Name': 'shop' } })

/** A fetch with these answers in turn, and a wait with this outcome. */
function around(answers: readonly Response[], outcome: Promise<boolean> = Promise.resolve(true)) {
  const send = vi.fn<typeof fetch>()
  for (const answer of answers) send.mockResolvedValueOnce(answer)
  const wait = vi.fn<Wait>(() => outcome)
  const note = vi.fn<() => void>()
  return { send, wait, note, fetch: waitingFetch(send, wait, note) }
}

it.each(['waiting', 'called', 'missed', 'rejected', 'sold-out', 'uninvited'])(
  'a safe request that meets the state %s is sent again after the wait',
  async state => {
    const { fetch, send, wait, note } = around([marked(state), ofTheSite()])
    const init = { headers: { 'X-Own': '1' } }
    expect(await (await fetch(API, init)).text()).toBe('of the site')
    expect(wait.mock.calls).toEqual([['shop', true]])
    expect(send.mock.calls).toEqual([
      [API, init],
      [API, init],
    ])
    expect(note).not.toHaveBeenCalled()
  },
)

it.each(['limited', 'outage', 'blocked', 'shed', 'origin-failed', 'prefetch', 'unavailable'])(
  'an answer with the state %s is handed back, because its visitor has no line to stand in',
  async state => {
    const answer = marked(state)
    const { fetch, wait, note } = around([answer])
    expect(await fetch(API)).toBe(answer)
    expect(wait).not.toHaveBeenCalled()
    expect(note).not.toHaveBeenCalled()
  },
)

it('an answer of the site is handed back and noted', async () => {
  const answer = ofTheSite()
  const { fetch, wait, note } = around([answer])
  expect(await fetch(API)).toBe(answer)
  expect([wait.mock.calls.length, note.mock.calls.length]).toEqual([0, 1])
})

it.each([
  ['by its options', API, { method: 'POST', body: 'a' }],
  ['by its Request', new Request(API, { method: 'DELETE' }), undefined],
])('an unsafe request (%s) is handed back at once, while its visitor waits', async (_, input, init) => {
  const answer = marked('waiting')
  const { fetch, send, wait } = around([answer], new Promise(() => undefined))
  expect(await fetch(input, init)).toBe(answer)
  expect(wait.mock.calls).toEqual([['shop', false]])
  expect(send).toHaveBeenCalledTimes(1)
})

it('a request is handed back when its visitor has closed the page', async () => {
  const answer = marked('waiting')
  const { fetch, send } = around([answer], Promise.resolve(false))
  expect(await fetch(new URL(API))).toBe(answer)
  expect(send).toHaveBeenCalledTimes(1)
})

it('a request is sent again only once', async () => {
  const second = marked('waiting')
  const { fetch, wait } = around([marked('waiting'), second])
  expect(await fetch(API)).toBe(second)
  expect(wait).toHaveBeenCalledTimes(1)
})

it('a request without credentials is handed back, because it never has a place', async () => {
  const answer = marked('waiting')
  const { fetch, wait } = around([answer])
  expect(await fetch(API, { credentials: 'omit' })).toBe(answer)
  expect(wait).not.toHaveBeenCalled()
})

it('an aborted request stops waiting', async () => {
  const { fetch, send } = around([marked('waiting')], new Promise(() => undefined))
  const abort = new AbortController()
  const answer = fetch(API, { signal: abort.signal })
  await vi.waitUntil(() => send.mock.calls.length === 1)
  abort.abort(new Error('the page has changed'))
  await expect(answer).rejects.toThrow('the page has changed')
})
