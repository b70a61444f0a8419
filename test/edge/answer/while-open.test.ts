import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { endingWithSession } from '../../../src/edge/answer/event-stream.ts'
import { relay } from '../../../src/edge/answer/websocket.ts'
import { whileOpen } from '../../../src/edge/answer/while-open.ts'
import type { Admitted } from '../../../src/edge/gate/verdict.ts'
import type { Visit } from '../../../src/edge/request/visit.ts'

const MINUTE = 60_000
let startMs = 0

beforeEach(() => {
  vi.useFakeTimers()
  startMs = Date.now()
})

afterEach(() => {
  vi.useRealTimers()
})

/** A session that its door knows until `endsAfterMs`, and the seconds at which the door was asked about it. */
function sessionFor(endsAfterMs: number) {
  const state = { sessionMs: 5 * MINUTE, leaseUntilMs: 0, isUnreachable: false, askedAt: [] as number[] }
  const sessions = {
    known: () => ({ untilMs: state.leaseUntilMs }),
    renew: async () => {
      state.askedAt.push(Math.round((Date.now() - startMs) / 1_000))
      if (state.isUnreachable) throw new Error('no door')
      return Date.now() - startMs < endsAfterMs ? { verdict: 'live' } : { verdict: 'ended', again: null }
    },
  }
  const room = { settings: { at: () => ({ session: { sessionMs: state.sessionMs } }) }, sessions }
  const admission = { kind: 'admitted', room, sid: 'eu-0.x', pass: 'x', isNew: false }
  return { state, admission: admission as unknown as Admitted }
}

const visit = { nowMs: 0 } as Visit

describe('the session of an open connection', () => {
  it('is checked once a lease, and ends the connection once', async () => {
    const { state, admission } = sessionFor(45_000)
    let ends = 0
    whileOpen(visit, admission, () => ends++)
    await vi.advanceTimersByTimeAsync(5 * MINUTE)
    expect(state.askedAt).toEqual([10, 20, 30, 40, 50])
    expect(ends).toBe(1)
  })

  it('is not checked while other requests renew its lease', async () => {
    const { state, admission } = sessionFor(5 * MINUTE)
    whileOpen(visit, admission, () => undefined)
    state.leaseUntilMs = startMs + 35_000
    await vi.advanceTimersByTimeAsync(46_000)
    expect(state.askedAt).toEqual([35, 45])
  })

  it('is checked more often when the settings shorten it, but at most once a second', async () => {
    const { state, admission } = sessionFor(5 * MINUTE)
    whileOpen(visit, admission, () => undefined)
    await vi.advanceTimersByTimeAsync(9_000)
    state.sessionMs = 12_000
    await vi.advanceTimersByTimeAsync(8_000)
    expect(state.askedAt).toEqual([10, 13, 16])
    state.sessionMs = 10
    await vi.advanceTimersByTimeAsync(5_000)
    expect(state.askedAt).toEqual([10, 13, 16, 19, 20, 21, 22])
  })

  it('goes on while its door cannot be reached', async () => {
    const { state, admission } = sessionFor(0)
    state.isUnreachable = true
    let ends = 0
    whileOpen(visit, admission, () => ends++)
    await vi.advanceTimersByTimeAsync(MINUTE)
    expect([state.askedAt.length, ends]).toEqual([6, 0])
    state.isUnreachable = false
    await vi.advanceTimersByTimeAsync(10_000)
    expect(ends).toBe(1)
  })

  it('is left alone once the connection is closed, even during a check', async () => {
    const { state, admission } = sessionFor(0)
    let ends = 0
    const stop = whileOpen(visit, admission, () => ends++)
    admission.room.sessions.renew = async () => {
      stop()
      return { verdict: 'ended', again: null }
    }
    await vi.advanceTimersByTimeAsync(MINUTE)
    expect([state.askedAt, ends]).toEqual([[], 0])
  })
})

describe('a WebSocket', () => {
  it('is closed on both sides when its session has ended', async () => {
    const { admission } = sessionFor(0)
    const { 0: upstream, 1: origin } = new WebSocketPair()
    origin.accept()
    const atOrigin = new Promise<CloseEvent>(resolve => origin.addEventListener('close', resolve))
    const answer = relay(visit, new Response(null, { headers: { 'X-Origin': 'yes' } }), upstream, [admission])
    expect([answer.status, answer.headers.get('X-Origin')]).toEqual([101, 'yes'])
    const visitor = answer.webSocket as WebSocket
    visitor.accept()
    const atVisitor = new Promise<CloseEvent>(resolve => visitor.addEventListener('close', resolve))
    await vi.advanceTimersByTimeAsync(10_000)
    for (const { code, reason } of [await atOrigin, await atVisitor])
      expect([code, reason]).toEqual([1008, 'the session has ended'])
  })

  it('is given up when its peer never answers the Close frame', async () => {
    const { admission } = sessionFor(5 * MINUTE)
    const { 0: upstream, 1: origin } = new WebSocketPair()
    origin.accept({ allowHalfOpen: true })
    const answer = relay(visit, new Response(), upstream, [admission])
    const visitor = answer.webSocket as WebSocket
    visitor.accept({ allowHalfOpen: true })
    const closed = new Promise<CloseEvent>(resolve => visitor.addEventListener('close', resolve))
    visitor.close(4001, 'enough')
    await vi.advanceTimersByTimeAsync(11_000)
    expect((await closed).code).toBe(4001)
  })
})

describe('an answer of the origin', () => {
  const streamOf = (type: string) => {
    const cancelled: unknown[] = []
    const body = new ReadableStream<Uint8Array>({
      start: controller => controller.enqueue(new TextEncoder().encode('data: 1\n\n')),
      cancel: reason => void cancelled.push(reason),
    })
    return { response: new Response(body, { headers: { 'Content-Type': type, 'X-Origin': 'yes' } }), cancelled }
  }

  it.each(['text/event-stream', 'Text/Event-Stream; charset=utf-8', 'multipart/x-mixed-replace; boundary=frame'])(
    'of the type %s ends with the session, and its stream is cancelled at the origin',
    async type => {
      const { admission, state } = sessionFor(15_000)
      const { response, cancelled } = streamOf(type)
      const answer = endingWithSession(visit, response, [admission])
      expect(answer.headers.get('X-Origin')).toBe('yes')
      const text = answer.text()
      await vi.advanceTimersByTimeAsync(60_000)
      expect(await text).toBe('data: 1\n\n')
      expect(cancelled).toEqual(['the session has ended'])
      expect(state.askedAt).toEqual([10, 20])
    },
  )

  it('that the visitor no longer reads keeps no session alive', async () => {
    const { admission, state } = sessionFor(5 * MINUTE)
    const { response, cancelled } = streamOf('text/event-stream')
    const answer = endingWithSession(visit, response, [admission])
    await vi.advanceTimersByTimeAsync(10_000)
    await answer.body?.cancel('gone')
    await vi.advanceTimersByTimeAsync(60_000)
    expect(cancelled).toEqual(['gone'])
    expect(state.askedAt).toEqual([10])
  })

  it('that ends by itself or has no session is passed on unchanged', () => {
    const { admission } = sessionFor(0)
    for (const type of ['text/html', 'application/octet-stream', 'text/event-streams']) {
      const { response } = streamOf(type)
      expect(endingWithSession(visit, response, [admission]), type).toBe(response)
    }
    const { response } = streamOf('text/event-stream')
    expect(endingWithSession(visit, response, [])).toBe(response)
  })
})
