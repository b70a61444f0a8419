/** The difference between two values of a setting, as the dashboard shows it before it is saved. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'

interface Line {
  readonly mark: ' ' | '-' | '+'
  readonly text: string
}

const path: string = '../../static/admin/settings/diff.js'
const { difference, shortened } = (await import(path)) as {
  readonly difference: (before: unknown, after: unknown) => readonly Line[]
  readonly shortened: (lines: readonly Line[], around?: number) => readonly Line[]
}

const words = (lines: readonly Line[]) => lines.map(({ mark, text }) => `${mark}${text}`)
const side = (lines: readonly Line[], other: '-' | '+') =>
  lines.flatMap(({ mark, text }) => (mark === other ? [] : [text])).join('\n')

describe('the difference between two values', () => {
  it('has the lines that were taken away and added', () => {
    expect(words(difference(5, 7))).toEqual(['-5', '+7'])
    expect(words(difference({ count: 20, period: 60 }, { count: 30, period: 60 }))).toEqual([
      ' {',
      '-  "count": 20,',
      '+  "count": 30,',
      '   "period": 60',
      ' }',
    ])
  })

  it('shows a text of several lines as it is', () => {
    expect(words(difference('one\ntwo', 'one\nthree'))).toEqual([' one', '-two', '+three'])
  })

  it('leaves out unchanged lines that are far from a change', () => {
    const lines = difference({ a: 1, b: 2, c: 3, d: 4, e: 5 }, { a: 1, b: 2, c: 3, d: 4, e: 6 })
    expect(words(shortened(lines, 1))).toEqual([' ...', '   "d": 4,', '-  "e": 5', '+  "e": 6', ' }'])
  })

  it('contains both values whole, whatever they are', () => {
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 3 }), fc.jsonValue({ maxDepth: 3 }), (before, after) => {
        fc.pre(typeof before !== 'string' && typeof after !== 'string')
        const lines = difference(before, after)
        expect(side(lines, '+')).toBe(JSON.stringify(before, null, 2))
        expect(side(lines, '-')).toBe(JSON.stringify(after, null, 2))
      }),
    )
  })
})
