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
  originPass = 'header',
}): Passage {
  const config = { allowed_override_headers: overrides, origin_pass: originPass }
  const passage = { verdict, config, upstream: { timeoutMs, bodyTimeoutMs } }
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

  it('keeps our cookie only where every room has admitted the visitor and reads the cookie', () => {
    const reads = passage({ originPass: 'cookie' })
    const keeps = (...rooms: Passage[]) => strictest(rooms).keepsCookie
    expect([keeps(reads), keeps(reads, reads)]).toEqual([true, true])
    expect([
      keeps(),
      keeps(reads, passage({})),
      keeps(reads, passage({ verdict: BYPASSED, originPass: 'cookie' })),
    ]).toEqual([false, false, false])
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
      keepsCookie: false,
      isPreflight: false,
      timeoutMs: 10_000,
      bodyTimeoutMs: null,
    })
  })
})
