import { afterEach, describe, expect, it, vi } from 'vitest'
import { type Env, roomStub } from '../../../src/settings/env.ts'
import { type Answer, env, newEdge, settled, Visitor } from '../../support/workerd/visitor.ts'

const quiet = { ...env, DEBUG: '' }
const loud = { ...env, DEBUG: '1' }

function visitorWith(bindings: Env, host: string): Visitor {
  return Object.assign(new Visitor(host, newEdge()), { bindings })
}

function traceOf({ response }: Answer): Record<string, unknown>[] {
  return JSON.parse(`[${response.headers.get('Waiting-Room-Trace')}]`)
}

/** Returns the lines with this event that are logged while `work` runs. */
async function logged(event: string, work: () => Promise<unknown>): Promise<Record<string, unknown>[]> {
  const lines: string[] = []
  const spies = (['log', 'info', 'warn', 'error'] as const).map(level =>
    vi.spyOn(console, level).mockImplementation((text: unknown) => void lines.push(String(text))),
  )
  await work()
  for (const spy of spies) spy.mockRestore()
  return lines
    .filter(line => line.startsWith('{'))
    .map(line => JSON.parse(line) as Record<string, unknown>)
    .filter(line => line.event === event)
}

afterEach(async () => {
  vi.restoreAllMocks()
  await settled()
})

describe('the trace of a request', () => {
  it('shows why a visitor waits, and is also one line of the log', async () => {
    const visitor = visitorWith(loud, 'held.test')
    await visitor.page()
    let trace: Record<string, unknown>[] = []
    const lines = await logged('decision', async () => {
      trace = traceOf(await visitor.page())
    })
    // The room has no line, or one of a single visitor.
    expect(trace[0]?.frontier ?? 0).toEqual(expect.any(Number))
    expect(trace).toEqual([
      {
        room: 'held',
        verdict: 'waiting',
        why: 'held',
        key: expect.closeTo(Date.now(), -5),
        frontier: trace[0]?.frontier,
        snapshotAgeMs: expect.any(Number),
        calls: { object: 0, sync: expect.any(Number) },
        originMs: null,
      },
    ])
    expect(lines).toEqual([{ time: expect.any(String), level: 'debug', event: 'decision', ...trace[0] }])
  })

  it('shows how a visitor got in, and how long the origin took', async () => {
    const visitor = new Visitor('wide.test', newEdge())
    const first = await visitor.page()
    expect(traceOf(first)).toMatchObject([
      { room: 'wide', verdict: 'admitted', why: 'claimed', calls: { object: 1 }, originMs: expect.any(Number) },
    ])
    const [, touched, leased] = [first, await visitor.page(), await visitor.page()]
    expect([touched, leased].map(answer => traceOf(answer)[0]?.why)).toEqual(['renewed', 'lease'])
    expect((await visitor.page('/webhooks/a')).atOrigin).not.toBeNull()
  })

  it('shows what a poll was about', async () => {
    const visitor = new Visitor('held.test', newEdge())
    expect(traceOf(await visitor.poll())).toMatchObject([{ verdict: 'no-place', why: 'no-ticket' }])
    await visitor.page()
    const [first, second] = [await visitor.poll(), await visitor.poll()]
    expect(traceOf(first)).toMatchObject([{ verdict: 'waiting', why: 'held', originMs: null }])
    expect(traceOf(second)).toMatchObject([{ verdict: 'too-early', why: 'pace' }])
  })

  it('counts the calls of a request without a decision, too', async () => {
    const answer = await new Visitor('held.test', newEdge()).data('/.waiting-room/healthz')
    expect(traceOf(answer)).toEqual([
      { room: null, verdict: 'none', why: null, calls: { object: 0, sync: 0 }, originMs: null },
    ])
  })

  it('has no token and no sid', async () => {
    const visitor = visitorWith(loud, 'wide.test')
    const lines = await logged('decision', async () => {
      for (let i = 0; i < 3; i++) await visitor.page()
    })
    const { sub } = JSON.parse(atob(visitor.token.split('.')[1] ?? '')) as { sub: string }
    const text = JSON.stringify(lines)
    expect(lines).toHaveLength(3)
    for (const secret of [sub, ...visitor.token.split('.')]) expect(text).not.toContain(secret)
  })

  it.each([
    ['', false, 0],
    ['0', false, 0],
    ['false', false, 0],
    ['header', true, 0],
    ['1', true, 3],
  ])('with DEBUG = "%s" is in the answer (%s) and in %s lines', async (DEBUG, isInAnswer, lines) => {
    const visitor = visitorWith({ ...env, DEBUG }, 'held.test')
    const found = await logged('decision', async () => {
      const answers = [await visitor.page(), await visitor.page(), await visitor.poll()]
      for (const { response } of answers) expect(response.headers.has('Waiting-Room-Trace')).toBe(isInAnswer)
    })
    expect(found).toHaveLength(lines)
  })
})

describe('the log of an edge', () => {
  it('has one line when its door falls silent, and one when a door is back', async () => {
    const bindings = { ...quiet, isBroken: false, DOOR: env.DOOR }
    bindings.DOOR = {
      getByName: (...args) => {
        if (bindings.isBroken) throw new Error('internal error')
        return env.DOOR.getByName(...args)
      },
    }
    const visitor = visitorWith(bindings, 'held.test')
    await visitor.page()
    const lines = (event: string, isBroken: boolean) =>
      logged(event, async () => {
        bindings.isBroken = isBroken
        for (let i = 0; i < 3; i++) {
          await new Promise(resolve => setTimeout(resolve, 1_100))
          await visitor.page()
        }
      })
    expect(await lines('door-silent', true)).toMatchObject([{ level: 'warn', room: 'held', seenBy: 'edge' }])
    expect(await lines('door-back', false)).toMatchObject([
      { level: 'info', room: 'held', silentMs: expect.any(Number) },
    ])
  })
})

describe('the log of a room', () => {
  it('has the names of the settings that an operator changes live, without their values', async () => {
    const stub = roomStub(env, 'decorated')
    const lines = await logged('settings-changed', async () => {
      await stub.change({ set: { message: 'a secret' } }, null, 'token')
      await stub.change({ reset: ['message'] }, null, 'token')
    })
    expect(lines).toMatchObject([
      { level: 'info', room: 'decorated', set: ['message'], actor: 'token', version: expect.any(String) },
      { level: 'info', room: 'decorated', reset: ['message'], actor: 'token' },
    ])
    expect(JSON.stringify(lines)).not.toContain('secret')
  })
})
