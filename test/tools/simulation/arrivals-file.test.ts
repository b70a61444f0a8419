import { describe, expect, it } from 'vitest'
import { readArrivals } from '../../../tools/simulation/arrivals-file.ts'

describe('a file of arrivals', () => {
  it('has one line per visitor or per second, in any order', () => {
    expect([...readArrivals('3\n0.5\n')]).toEqual([500, 3_000])
    expect([...readArrivals('2,2\n0,4\n')]).toEqual([0, 250, 500, 750, 2_000, 2_500])
    expect([...readArrivals('0,1\r\n7\r\n')]).toEqual([0, 7_000])
  })

  it('may name its columns, and may have comments and empty lines', () => {
    expect([...readArrivals('second,visitors\n# measured on Friday\n\n1,1\n')]).toEqual([1_000])
  })

  it.each([
    ['1\nsoon\n', 'line 2: seconds must be'],
    ['1,2\n-1,2\n', 'line 2: seconds must be'],
    ['# x\n1,2.5\n', 'line 2: the count must be a whole number'],
    ['1,2\n\n1,2,3\n', 'line 3: expected SECONDS or SECOND,COUNT'],
    ['1,\n', 'line 1: the count must be'],
    ['1e9\n', 'line 1: seconds must be'],
    ['1,5000000\n2,1\n', 'line 2: more than 5,000,000 visitors'],
    ['second,visitors\n', 'no visitor arrives'],
  ])('is refused with the reason and the line: %j', (text, message) => {
    expect(() => readArrivals(text)).toThrow(message)
  })
})
