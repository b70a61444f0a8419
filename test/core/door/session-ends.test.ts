import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { SessionEnds } from '../../../src/core/door/session-ends.ts'

describe('the ends of sessions', () => {
  it('are the same as those in a plain list, whatever is added, removed and over', () => {
    const endMs = fc.integer({ min: 0, max: 5_000 })
    const step = fc.record({ does: fc.constantFrom('add', 'remove', 'removeUntil'), endMs })
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), steps => {
        const ends = new SessionEnds()
        let list: number[] = []
        for (const { does, endMs } of steps) {
          if (does === 'removeUntil') {
            expect(ends.removeUntil(endMs)).toBe(list.filter(other => other <= endMs).length)
            list = list.filter(other => other > endMs)
          } else {
            ends[does](endMs)
            const at = list.indexOf(endMs)
            if (does === 'add') list.push(endMs)
            else if (at >= 0) list.splice(at, 1)
          }
          expect(ends.nextMs()).toBe(list.length === 0 ? null : Math.min(...list))
        }
      }),
    )
  })
})
