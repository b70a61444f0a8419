import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { ratiosOf, tableOf, withTable } from '../../../tools/bench/ratios.ts'

const RATES = new Map([
  ['admitted', [800, 400, 780]],
  ['proxy', [1_000, 500, 1_000]],
  ['trivial', [2_000, 2_000, 2_000]],
])

describe('the ratios of the benchmark', () => {
  it('are those of medians, with the smallest and the greatest of one round', () => {
    expect(ratiosOf(RATES)).toMatchObject([
      { of: 'admitted', over: 'proxy', ratio: 0.78, spread: [0.78, 0.8], enough: true },
    ])
  })

  it('are written as a table, in place of the one before', () => {
    const path = new URL('../../../docs/performance.md', import.meta.url)
    const page = readFileSync(path, 'utf8')
    const table = tableOf(ratiosOf(RATES))
    const row =
      '| an admitted request / a plain proxy Worker | 0.78 | 0.78 to 0.80 | 0.6 | 0.86 to 0.93 | copying the request |'
    const written = withTable(page, table)
    expect(written).toContain(row)
    expect(withTable(written, table)).toBe(written)
    expect(written.match(/an admitted request \/ a plain proxy Worker/g)).toHaveLength(1)
    expect(() => withTable('# Performance', table)).toThrow('no place for the table')
  })
})
