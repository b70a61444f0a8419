import { describe, expect, it } from 'vitest'
import { acceptedTags, bestTag } from '../../src/core/language-tags.ts'

const AVAILABLE = [
  'en',
  'es',
  'ca',
  'pt',
  'pt-BR',
  'de',
  'nb',
  'fil',
  'he',
  'id',
  'ro',
  'sr',
  'sr-Latn',
  'zh-Hans',
  'zh-Hant',
]

describe('the languages of an Accept-Language header', () => {
  it.each([
    ['de-AT,de;q=0.8,en;q=0.5', ['de-AT', 'de', 'en']],
    ['en;q=0.5, fr;q=0.9 , de', ['de', 'fr', 'en']],
    ['en;q=0, de;q=0.1', ['de']],
    ['en;q=high, de', ['de']],
    ['en;Q=0.5, de;q=0.500', ['en', 'de']],
    ['*', ['*']],
    ['', ['']],
  ])('%j are %j', (header, expected) => {
    expect(acceptedTags(header)).toEqual(expected)
  })

  it('are at most twenty, whatever a visitor sends', () => {
    expect(acceptedTags('de,'.repeat(1_000))).toHaveLength(20)
  })
})

describe('the best language', () => {
  it.each([
    ['es-419', 'es'],
    ['ca-ES-valencia', 'ca'],
    ['pt', 'pt'],
    ['pt-PT', 'pt'],
    ['pt-AO', 'pt'],
    ['pt-BR', 'pt-BR'],
    ['PT-br', 'pt-BR'],
    ['de-CH-1996-u-co-phonebk', 'de'],
    ['zh', 'zh-Hans'],
    ['zh-CN', 'zh-Hans'],
    ['zh-SG', 'zh-Hans'],
    ['zh-TW', 'zh-Hant'],
    ['zh-HK', 'zh-Hant'],
    ['zh-Hant-HK', 'zh-Hant'],
    ['zh-Hans-TW', 'zh-Hans'],
    ['sr', 'sr'],
    ['sr-RS', 'sr'],
    ['sr-Latn-RS', 'sr-Latn'],
    ['sr-ME', 'sr-Latn'],
    ['sh', 'sr-Latn'],
    ['no', 'nb'],
    ['nn-NO', 'nb'],
    ['iw', 'he'],
    ['in', 'id'],
    ['tl', 'fil'],
    ['mo', 'ro'],
    ['fr', null],
    ['de-Cyrl', null],
    ['*', null],
    ['', null],
    ['a very long text, and no tag', null],
  ])('for %j is %j', (wanted, expected) => expect(bestTag([wanted], AVAILABLE)).toBe(expected))

  it('is the first one that is there', () => expect(bestTag(['fr-CA', 'xx', 'de-DE', 'en'], AVAILABLE)).toBe('de'))

  it('comes from the region that is there when no other one is', () => {
    expect(bestTag(['pt-PT'], ['en', 'pt-BR'])).toBe('pt-BR')
  })
})
