import { describe, expect, it } from 'vitest'
import { languageOf } from '../../../src/edge/texts/catalog.ts'
import { endOfWaitMs, waitInWords } from '../../../src/edge/texts/words.ts'

const SECOND = 1_000
const MINUTE = 60 * SECOND
const HOUR = 60 * MINUTE
/** Ten past ten and twenty seconds, UTC. */
const NOW = Date.parse('2026-03-01T10:10:20Z')
const wait = (lowMs: number, likelyMs: number, highMs: number) => ({ lowMs, likelyMs, highMs })

describe('a wait in words', () => {
  const english = (lowMs: number, highMs: number) => waitInWords(wait(lowMs, lowMs, highMs), languageOf('en'))

  it('is a range in seconds below two minutes, and in minutes from there', () => {
    expect(english(48 * SECOND, 75 * SECOND)).toBe('40 to 80 seconds')
    expect(english(98 * SECOND, 119 * SECOND)).toBe('90 to 120 seconds')
    expect(english(98 * SECOND, 121 * SECOND)).toBe('1 to 3 minutes')
    expect(english(3 * MINUTE, 5 * MINUTE)).toBe('3 to 5 minutes')
  })

  it('has no lower end of zero', () => {
    expect(english(9 * SECOND, 40 * SECOND)).toBe('less than a minute')
    expect(english(9 * SECOND, 100 * SECOND)).toBe('up to 2 minutes')
  })

  it('is written as the language of the visitor writes it', () => {
    expect(waitInWords(wait(48 * SECOND, MINUTE, 75 * SECOND), languageOf('es'))).toBe('de 40 a 80 segundos')
  })
})

describe('the end of a wait', () => {
  const end = (likelyMs: number) => {
    const ms = endOfWaitMs(wait(likelyMs * 0.9, likelyMs, likelyMs * 1.2), NOW)
    return ms === null ? null : new Date(ms).toISOString().slice(11, 16)
  }

  it('is rounded to the minute, to five minutes or to a quarter of an hour: the longer the wait, the more', () => {
    expect([5 * MINUTE, 30 * MINUTE, 2 * HOUR].map(end)).toEqual(['10:15', '10:40', '12:15'])
  })

  it('is not shown for a short wait, one of many hours, or one that is not known', () => {
    expect([20 * SECOND, 13 * HOUR].map(end)).toEqual([null, null])
    expect(endOfWaitMs(null, NOW)).toBeNull()
  })

  it('is written in the time zone of the visitor, and not at all in an unknown one', () => {
    const german = languageOf('de')
    expect(german.time(NOW, 'Europe/Berlin')).toBe('11:10')
    expect(german.time(NOW, 'Mars/Olympus')).toBeNull()
    expect(german.time(NOW, 'Mars/Olympus')).toBeNull()
  })
})
