import { describe, expect, it } from 'vitest'
import { unpacked } from '../../../src/core/history/history.ts'
import { flowIn, LastMinute } from '../../../src/core/history/last-minute.ts'

const SECOND = 1_000
const MINUTE = 60 * SECOND
const NONE = { came: 0, admitted: 0 }

describe('the last minute of a room', () => {
  it('forgets a burst a minute after it has ended', () => {
    const last = new LastMinute(NONE)
    // 300 people arrive within 20 seconds, and two a second are admitted.
    const seen = Array.from({ length: 90 }, (_, at) => {
      const second = at + 1
      last.note({ came: Math.min(300, 15 * second), admitted: 2 * second }, second * SECOND)
      return last.at(second * SECOND)
    })
    const atSecond = (second: number) => seen[second - 1]
    expect(atSecond(30)).toEqual({ came: 300, admitted: 60 })
    expect(atSecond(70)).toEqual({ came: 150, admitted: 120 })
    expect(atSecond(80)).toEqual({ came: 0, admitted: 120 })
  })

  it('begins after a restart with the minutes that were stored', () => {
    const minute = { ...unpacked(0, {}), confirmed: 60, admitted: 90, shown: 60 }
    const open = { ...unpacked(MINUTE, {}), confirmed: 30 }
    const last = new LastMinute({ came: 120, admitted: 90 }, [minute, open], 1.5 * MINUTE)
    // The last minute has half of the minute before and all of the open minute.
    expect(last.at(1.5 * MINUTE)).toEqual({ came: 75, admitted: 45 })
    last.note({ came: 130, admitted: 90 }, 2 * MINUTE)
    expect(last.at(2 * MINUTE)).toEqual({ came: 40, admitted: 0 })
    expect(last.at(2.6 * MINUTE).came).toBe(10)
  })

  it('counts nothing when a total falls', () => {
    const last = new LastMinute({ came: 10, admitted: 10 })
    last.note(NONE, SECOND)
    expect(last.at(SECOND)).toEqual(NONE)
  })

  it('counts visitors who came back or were let in at once, and no robots', () => {
    expect(flowIn({ minted: 900, confirmed: 30, walked_in: 5, admitted: 20 })).toEqual({ came: 35, admitted: 20 })
    expect(flowIn({})).toEqual(NONE)
  })
})
