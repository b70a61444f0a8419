import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type Applied, diff, Tally } from '../../src/core/tally.ts'

/** The bytes of a report with room for two cells of one-letter names. */
const TWO_CELLS = 50

describe('Tally', () => {
  it('reports a total once when nothing is lost', () => {
    const sender = new Tally()
    sender.add('seen', 3)
    const first = sender.report()
    expect(diff(undefined, first)).toEqual({ seen: 3 })
    sender.acknowledge(first.seq)
    expect(sender.dirty).toBe(false)
    expect(sender.report().cells).toEqual({})
  })

  it('includes a lost report in the next one', () => {
    const sender = new Tally()
    sender.add('seen', 3)
    sender.report()
    sender.add('seen', 2)
    expect(diff(undefined, sender.report())).toEqual({ seen: 5 })
  })

  it('forgets cells on request, reported or not, and counts later additions once', () => {
    const sender = new Tally()
    sender.add('old', 3)
    sender.add('seen', 1)
    const first = sender.report()
    sender.add('old', 2)
    sender.prune(cell => cell === 'old')
    sender.acknowledge(first.seq)
    expect([sender.dirty, sender.size]).toEqual([false, 0])
    sender.add('old')
    expect(sender.report().cells).toEqual({ old: 1 })
  })

  it('adds nothing for a report that is repeated or late', () => {
    const sender = new Tally()
    sender.add('seen')
    const first = sender.report()
    sender.add('seen')
    const second = sender.report()
    expect(diff(second, first)).toBeUndefined()
    expect(diff(second, second)).toBeUndefined()
  })

  it('adds the difference when an answer was lost', () => {
    const sender = new Tally()
    sender.add('seen', 3)
    const applied = sender.report()
    sender.add('seen', 4)
    expect(diff(applied, sender.report())).toEqual({ seen: 4 })
  })

  it('keeps what was counted while a report was on its way', () => {
    const sender = new Tally()
    sender.add('seen', 3)
    const { seq } = sender.report()
    sender.add('seen', 2)
    sender.acknowledge(seq)
    expect(sender.report().cells).toEqual({ seen: 2 })
  })

  it('postpones cells that do not fit in a report, but none for ever', () => {
    const sender = new Tally(TWO_CELLS)
    for (const cell of ['a', 'b', 'c']) sender.add(cell)
    const said: string[][] = []
    for (let nth = 0; nth < 3; nth++) {
      const { seq, cells } = sender.report()
      said.push(Object.keys(cells))
      // These two cells grow all the time.
      for (const cell of ['a', 'b']) sender.add(cell)
      sender.acknowledge(seq)
    }
    expect(said).toEqual([
      ['a', 'b'],
      ['c', 'a'],
      ['b', 'a'],
    ])
  })

  it('lists all entries, including those that did not fit in a report', () => {
    const sender = new Tally(TWO_CELLS)
    for (const cell of ['a', 'b', 'c']) sender.add(cell)
    sender.report()
    expect([...sender.entries()]).toEqual([
      ['a', 1],
      ['b', 1],
      ['c', 1],
    ])
  })

  it('keeps each report within one row of SQLite, however many cells there are', () => {
    const sender = new Tally()
    const lane = 'x'.repeat(32)
    for (let bucket = 0; bucket < 100_000; bucket++) sender.add(`line/${lane}/${14_100_000_000_000 + bucket}`)
    let told = 0
    while (sender.dirty) {
      const report = sender.report()
      expect(JSON.stringify(report).length).toBeLessThan(2_000_000)
      told += Object.keys(report.cells).length
      sender.acknowledge(report.seq)
    }
    expect(told).toBe(100_000)
  })

  it.each([
    ['', undefined],
    [', and however little fits', TWO_CELLS],
  ])('loses nothing and counts nothing twice, whatever the network does%s', (_, bytesMax) => {
    const step = fc.oneof(
      fc.record({
        kind: fc.constant('add' as const),
        cell: fc.constantFrom('a', 'b', 'c'),
        by: fc.integer({ min: 1, max: 9 }),
      }),
      fc.record({ kind: fc.constant('send' as const) }),
      fc.record({ kind: fc.constant('arrive' as const), pick: fc.nat(), answered: fc.boolean() }),
    )
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), steps => {
        const sender = new Tally(bytesMax)
        const added: Record<string, number> = {}
        const received: Record<string, number> = {}
        const onTheWay: ReturnType<Tally['report']>[] = []
        let applied: Applied | undefined
        const arrive = (report: ReturnType<Tally['report']>, answered: boolean) => {
          const news = diff(applied, report)
          if (news) {
            applied = report
            for (const [cell, by] of Object.entries(news)) received[cell] = (received[cell] ?? 0) + by
          }
          if (answered) sender.acknowledge(report.seq)
        }
        for (const one of steps) {
          if (one.kind === 'add') {
            sender.add(one.cell, one.by)
            added[one.cell] = (added[one.cell] ?? 0) + one.by
          } else if (one.kind === 'send') onTheWay.push(sender.report())
          // Any report may arrive at any time, even twice.
          else if (onTheWay.length > 0) arrive(onTheWay[one.pick % onTheWay.length] as Applied, one.answered)
          for (const [cell, count] of Object.entries(received)) expect(count).toBeLessThanOrEqual(added[cell] ?? 0)
        }
        do arrive(sender.report(), true)
        while (sender.dirty)
        expect(received).toEqual(added)
      }),
      { numRuns: 2_000 },
    )
  })
})
