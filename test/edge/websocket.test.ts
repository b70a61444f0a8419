import { afterEach, describe, expect, it, vi } from 'vitest'
import type { Admitted } from '../../src/edge/verdict.ts'
import type { Visit } from '../../src/edge/visit.ts'
import { relay } from '../../src/edge/websocket.ts'

afterEach(() => {
  vi.useRealTimers()
})

describe('the session of a socket', () => {
  it('is touched long before a session is over whose pass has never come back, and then four times in its duration, as long as that is by then', async () => {
    vi.useFakeTimers()
    const startMs = Date.now()
    const touchedAt: number[] = []
    let sessionMs = 300_000
    const room = {
      settings: { at: () => ({ session: { sessionMs } }) },
      touch: async () => {
        touchedAt.push(Math.round((Date.now() - startMs) / 1_000))
        return touchedAt.length < 4 ? { verdict: 'live' } : { verdict: 'gone', again: null }
      },
    }
    const admission = { kind: 'admitted', room, sid: 'eu-0.x', pass: 'x', isNew: false, fallback: false }
    const { 0: upstream, 1: origin } = new WebSocketPair()
    origin.accept()
    const closed = new Promise<CloseEvent>(resolve => origin.addEventListener('close', resolve))
    const response = new Response(null, { headers: { 'X-Origin': 'yes' } })
    const answer = relay({ nowMs: startMs } as Visit, response, upstream, [admission as unknown as Admitted])
    expect([answer.status, answer.headers.get('X-Origin')]).toEqual([101, 'yes'])
    await vi.advanceTimersByTimeAsync(57_000)
    expect(touchedAt).toEqual([20])
    await vi.advanceTimersByTimeAsync(60_000)
    expect(touchedAt).toEqual([20, 95])
    sessionMs = 60_000
    await vi.advanceTimersByTimeAsync(300_000)
    expect(touchedAt).toEqual([20, 95, 170, 185])
    expect((await closed).code).toBe(1008)
  })
})
