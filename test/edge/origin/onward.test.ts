import { describe, expect, it } from 'vitest'
import type { Verdict } from '../../../src/edge/gate/verdict.ts'
import { type Passage, strictest } from '../../../src/edge/origin/onward.ts'

const ADMITTED = { kind: 'admitted', sid: 'eu-0.x' } as Verdict
const BYPASSED = { kind: 'proxy', why: 'bypass' } as Verdict

function passage({
  verdict = ADMITTED,
  overrides = [] as string[],
  timeoutMs = 10_000,
  bodyTimeoutMs = null as number | null,
}): Passage {
  const passage = { verdict, config: { allowed_override_headers: overrides }, upstream: { timeoutMs, bodyTimeoutMs } }
  return passage as unknown as Passage
}

describe('a request of several rooms', () => {
  it('keeps an override header only where every room allows it', () => {
    const rooms = [
      passage({ overrides: ['x-original-url', 'x-rewrite-url'] }),
      passage({ overrides: ['x-rewrite-url', 'x-http-method-override'] }),
    ]
    expect(strictest(rooms).overrides).toEqual(['x-rewrite-url'])
  })

  it('keeps no override header where any room bypassed it', () => {
    const bypassed = passage({ verdict: BYPASSED, overrides: ['x-original-url'] })
    const second = passage({ overrides: ['x-original-url'] })
    expect(strictest([bypassed, second]).overrides).toEqual([])
    expect(strictest([second, bypassed]).overrides).toEqual([])
  })

  it('has the shortest of their timeouts, in whichever order they come', () => {
    const rooms = [passage({ timeoutMs: 2_000, bodyTimeoutMs: 500 }), passage({ timeoutMs: 30_000 })]
    for (const order of [rooms, rooms.toReversed()])
      expect(strictest(order)).toMatchObject({ timeoutMs: 2_000, bodyTimeoutMs: 500 })
  })
})

describe('a request of no room', () => {
  it('has the default timeout and no override header', () => {
    expect(strictest([])).toEqual({
      admissions: [],
      overrides: [],
      isPreflight: false,
      timeoutMs: 10_000,
      bodyTimeoutMs: null,
    })
  })
})
