import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type ReadyVisitor, ReadyVisitors } from '../../../src/core/door/ready-visitors.ts'

const somebody = fc.record({ sid: fc.constantFrom('a', 'b', 'c', 'd', 'e', 'f'), key: fc.integer({ min: 0, max: 4 }) })
const steps = fc.array(
  fc.oneof(
    fc.record({ kind: fc.constant('add' as const), who: somebody }),
    fc.record({ kind: fc.constant('delete' as const), who: somebody }),
    fc.record({ kind: fc.constant('forget' as const), who: somebody }),
  ),
)

describe('ready visitors', () => {
  it('are found by sid and listed by age, whichever of them come and go', () => {
    fc.assert(
      fc.property(steps, all => {
        const ready = new ReadyVisitors()
        const expected = new Map<string, ReadyVisitor>()
        for (const { kind, who } of all) {
          if (kind === 'add') {
            const added = { ...who, lane: '', seenMs: 0 }
            ready.add(added)
            expected.set(who.sid, added)
          } else if (kind === 'delete') {
            ready.delete(who.sid)
            expected.delete(who.sid)
          } else {
            ready.prune(({ key }) => key === who.key)
            for (const { sid, key } of [...expected.values()]) if (key === who.key) expected.delete(sid)
          }
          const inOrder = [...expected.values()].sort((a, b) => a.key - b.key || (a.sid < b.sid ? -1 : 1))
          expect([...ready]).toEqual(inOrder)
          expect(ready.size).toBe(inOrder.length)
          for (const sid of 'abcdef') expect(ready.get(sid)).toBe(expected.get(sid))
        }
      }),
    )
  })

  it('may change their place and their lane', () => {
    const ready = new ReadyVisitors()
    ready.add({ sid: 'a', key: 1, lane: '', seenMs: 0 })
    ready.add({ sid: 'b', key: 2, lane: '', seenMs: 0 })
    ready.add({ sid: 'a', key: 3, lane: 'vip', seenMs: 5 })
    expect([...ready].map(({ sid, key }) => [sid, key])).toEqual([
      ['b', 2],
      ['a', 3],
    ])
  })
})
