import { describe, expect, it } from 'vitest'
import type { Renewal, RenewalAnswer } from '../../../src/core/protocol/messages.ts'
import type { Caller } from '../../../src/edge/room-client/door-client.ts'
import { Renewals } from '../../../src/edge/room-client/renewals.ts'
import { env } from '../../support/workerd/visitor.ts'

const at = (nowMs: number): Caller => ({
  env,
  continent: undefined,
  nowMs,
  calls: { object: 0, sync: 0 },
  waitUntil: () => undefined,
})
const of = (sid: string, protectMs = 0): Renewal => ({ sid, protectMs })
const live = (sid: string): RenewalAnswer => ({ verdict: 'live', expiresMs: sid.length, leaseMs: 10 })
const later = () => new Promise(resolve => setTimeout(resolve, 0))

/** A door that answers each call when the test decides. */
function slowDoor() {
  const calls: { sids: string[]; answer: () => void; fail: () => void }[] = []
  const renewals = new Renewals((_, batch) => {
    const { promise, resolve, reject } = Promise.withResolvers<RenewalAnswer[]>()
    calls.push({
      sids: batch.map(({ sid }) => sid),
      answer: () => resolve(batch.map(({ sid }) => live(sid))),
      fail: () => reject(new Error('no door')),
    })
    return promise
  })
  return { renewals, calls }
}

describe('renewals at one door', () => {
  it('gather while one call is under way, and each gets its own answer', async () => {
    const { renewals, calls } = slowDoor()
    const answers = ['a', 'bb', 'ccc', 'dddd'].map(sid => renewals.add(at(0), of(sid)))
    expect(calls.map(({ sids }) => sids)).toEqual([['a']])
    calls[0]?.answer()
    await later()
    expect(calls.map(({ sids }) => sids)).toEqual([['a'], ['bb', 'ccc', 'dddd']])
    calls[1]?.answer()
    expect(await Promise.all(answers)).toEqual(['a', 'bb', 'ccc', 'dddd'].map(live))
  })

  it('are one for parallel requests of one session', async () => {
    const { renewals, calls } = slowDoor()
    const answers = [renewals.add(at(0), of('a')), renewals.add(at(1), of('a')), renewals.add(at(2), of('a'))]
    calls[0]?.answer()
    expect(await Promise.all(answers)).toEqual([live('a'), live('a'), live('a')])
    expect(calls).toHaveLength(1)
  })

  it('that protect a session are never replaced by one that does not', async () => {
    const { renewals, calls } = slowDoor()
    void renewals.add(at(0), of('a'))
    const protecting = renewals.add(at(0), of('a', 900))
    calls[0]?.answer()
    await later()
    calls[1]?.answer()
    expect(await protecting).toEqual(live('a'))
    expect(calls).toHaveLength(2)
  })

  it('fail together, and the next renewals are sent again', async () => {
    const { renewals, calls } = slowDoor()
    const answers = [renewals.add(at(0), of('a')), renewals.add(at(0), of('b'))].map(answer =>
      answer.catch((error: Error) => error.message),
    )
    calls[0]?.fail()
    await later()
    calls[1]?.answer()
    expect(await Promise.all(answers)).toEqual(['no door', live('b')])
  })

  it('do not wait for a call whose request was cut off', async () => {
    const { renewals, calls } = slowDoor()
    void renewals.add(at(0), of('a'))
    void renewals.add(at(1), of('b'))
    const answer = renewals.add(at(4_000), of('c'))
    expect(calls.map(({ sids }) => sids)).toEqual([['a'], ['b', 'c']])
    calls[1]?.answer()
    expect(await answer).toEqual(live('c'))
  })

  it('that can wait go with the next call', async () => {
    const { renewals, calls } = slowDoor()
    const noted: string[] = []
    for (const sid of ['x', 'y', 'x']) renewals.addLater(at(0), of(sid), () => noted.push(sid))
    expect(calls).toHaveLength(0)
    void renewals.add(at(50), of('a'))
    expect(calls[0]?.sids).toEqual(['a', 'x', 'y'])
    calls[0]?.answer()
    await later()
    expect(noted).toEqual(['x', 'y'])
  })

  it('that can wait go by themselves after a while, and are dropped once they are useless', async () => {
    const { renewals, calls } = slowDoor()
    renewals.addLater(at(0), of('x'), () => undefined)
    renewals.addLater(at(250), of('y'), () => undefined)
    expect(calls.map(({ sids }) => sids)).toEqual([['x', 'y']])
    calls[0]?.answer()
    await later()
    renewals.addLater(at(1_000), of('z'), () => undefined)
    void renewals.add(at(2_500), of('a'))
    expect(calls[1]?.sids).toEqual(['a'])
  })
})
