import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { ASKED, BADLY } from '../../../src/core/health/votes.ts'
import { bucketOf } from '../../../src/core/history/samples.ts'
import {
  cellOf,
  decode,
  encode,
  forgetOldSamples,
  patternCell,
  patternOf,
  readCells,
  votesCell,
} from '../../../src/core/protocol/health-cells.ts'
import { Tally } from '../../../src/core/tally.ts'

const NOW = 1_700_000_000_000

function isRead(cell: string, nowMs: number): boolean {
  const { votes, samples } = readCells({ [cell]: 1 }, nowMs)
  return votes.length + samples.length > 0
}

describe('a cell', () => {
  it('is read back as it was written', () => {
    expect(readCells({ [cellOf('payment', 'tolerating', 800, NOW)]: 3 }, NOW)).toEqual({
      votes: [],
      samples: [{ upstream: 'payment', mark: 'tolerating', bucket: bucketOf(800), by: 3 }],
    })
    expect(readCells({ [votesCell('origin', { 7: 16 }, NOW)]: 1 }, NOW)).toEqual({
      votes: [{ kind: 'votes', upstream: 'origin', sentByMs: NOW + 1_000, ballot: { 7: 16 } }],
      samples: [],
    })
  })

  it('is ignored when it is over a minute old, from the future, or no sample', () => {
    const cell = cellOf('origin', 'failed', 5, NOW)
    expect(isRead(cell, NOW + 30_000)).toBe(true)
    expect(isRead(cell, NOW + 70_000)).toBe(false)
    expect(isRead(cell, NOW - 60_000)).toBe(false)
    expect(isRead(votesCell('origin', { 7: 16 }, NOW), NOW + 300_000)).toBe(false)
    for (const other of ['polls', 'line/main/7', 'health/origin/x/s1', 'health/origin/1', 'health/a/1700000000/q3'])
      expect(isRead(other, NOW), other).toBe(false)
  })

  it('of a late 503 still counts, however short or long its Retry-After is', () => {
    for (const restMs of [1_000, 120_000]) {
      const cell = cellOf('origin', 'retry-after', restMs, NOW)
      expect(isRead(cell, NOW + 100_000)).toBe(true)
      expect(isRead(cell, NOW + 165_000)).toBe(false)
    }
  })
})

describe('a tally without acknowledgements', () => {
  it('drops samples that are too old to count, and keeps everything else', () => {
    const tally = new Tally()
    tally.add('line/main/5', 7)
    let cells = 0
    for (let second = 0; second < 900; second++) {
      const nowMs = NOW + second * 1_000
      for (let n = 0; n < 10; n++) tally.add(cellOf('origin', 'satisfied', 2 ** n, nowMs))
      forgetOldSamples(tally, nowMs)
      // A report is long, and within ten seconds it changes by two windows.
      if (second % 10 === 9) cells = Math.max(cells, Object.keys(tally.report().cells).length)
    }
    expect(cells).toBeLessThan(3_000)
    const last = tally.report().cells
    expect(last['line/main/5']).toBe(7)
    const heard = Object.keys(last).filter(cell => isRead(cell, NOW + 900_000))
    expect(heard.length).toBeGreaterThanOrEqual(600)
  })
})

describe('the votes in the name of a cell', () => {
  it('are read back as they were written, and any other text is refused', () => {
    fc.assert(
      fc.property(
        fc.dictionary(fc.integer({ min: 0, max: 1_023 }).map(String), fc.integer({ min: 0, max: 63 })),
        ballot => {
          expect(Object.entries(decode(encode(ballot)) ?? {})).toEqual(Object.entries(ballot))
        },
      ),
    )
    for (const text of ['0', '000', 'zz00', '00zz', '0A00', 'vv1s', '....']) expect(decode(text)).toBeNull()
  })
})

describe('a pattern of addresses', () => {
  it('is the first two segments, without numbers', () => {
    expect(['/', '/a', '/product/12', '/report/yearly/2026?x', '/2026/11/30'].map(patternOf)).toEqual([
      '/',
      '/a',
      '/product/*',
      '/report/yearly',
      '/*/*',
    ])
    expect(patternOf(`/x/${'y'.repeat(100)}`)).toBe('/x/*')
  })

  it('travels in the name of a cell, whatever characters it has', () => {
    fc.assert(
      fc.property(fc.string({ maxLength: 20 }), name => {
        const pattern = `/${name.toWellFormed()}`.slice(0, 60)
        const ballot = { 7: ASKED | BADLY }
        const { votes } = readCells({ [patternCell('origin', pattern, ballot, NOW)]: 1 }, NOW)
        expect(votes).toMatchObject([{ kind: 'pattern', pattern, ballot }])
      }),
    )
  })
})
