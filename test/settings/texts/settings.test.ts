import { describe, expect, it } from 'vitest'
import { parseRooms } from '../../../src/settings/rooms.ts'
import { TEXT_KEYS } from '../../../src/settings/texts/keys.ts'

const ROOM = { name: 'shop', host: 'shop.test', total_active_users: 10, new_users_per_minute: 10 }

function problemsWith(settings: object): string {
  try {
    parseRooms([{ ...ROOM, ...settings }])
    return ''
  } catch (error) {
    return String((error as Error).message)
  }
}

describe('the languages of a room', () => {
  it('are the languages that have texts, each of them once', () => {
    expect(problemsWith({ languages: ['en'] })).toBe('')
    expect(problemsWith({ languages: ['tlh'] })).toBe(
      'rooms[0].languages[0] must be a language of docs/languages.md, got "tlh"',
    )
    expect(problemsWith({ languages: ['en', 'en'] })).toMatch(/languages.* must (be unique|have at most)/)
  })
})

describe('a message', () => {
  it('is one text, or one for each language', () => {
    for (const message of ['Hello.', { en: 'Hello.' }, {}]) {
      expect(problemsWith({ message, sold_out_message: message })).toBe('')
    }
  })

  it.each([
    [7, 'rooms[0].message must be text, or one for each language, got 7'],
    [{ tlh: 'nuqneH' }, 'rooms[0].message.tlh must be a language of docs/languages.md, got "tlh"'],
    ['x'.repeat(1_001), 'rooms[0].message must be at most 1,000 characters'],
    [{ en: 'x'.repeat(1_001) }, 'rooms[0].message.en must be at most 1,000 characters'],
  ])('is refused as %j by name', (message, problem) => {
    expect(problemsWith({ message })).toBe(problem)
  })
})

describe('other words', () => {
  it('replace a text by its key, with the values of that text', () => {
    expect(problemsWith({ texts: { en: { 'waiting.headline': 'Hello', said: 'At {place}' } } })).toBe('')
  })

  it.each([
    [{ tlh: {} }, 'texts.tlh must be a language of docs/languages.md, got "tlh"'],
    [
      { en: { 'waiting.head': 'x' } },
      'texts.en.waiting.head is not the key of a text: static/texts/en.json has the keys',
    ],
    [{ en: { constructor: 'x' } }, 'texts.en.constructor is not the key of a text: static/texts/en.json has the keys'],
    [{ en: { waiting: 'x' } }, 'texts.en.waiting is not the key of a text: static/texts/en.json has the keys'],
    [{ en: { 'waiting.headline': ' ' } }, 'texts.en.waiting.headline must not be empty'],
    [
      { en: { said: '{name}' } },
      'texts.en.said must name no value {name}: this text has the values {place} and {wait}',
    ],
    [
      { en: { 'waiting.headline': '{place}' } },
      'texts.en.waiting.headline must name no value {place}: this text has no values',
    ],
  ])('%j are refused by name', (texts, problem) => {
    expect(problemsWith({ texts })).toBe(`rooms[0].${problem}`)
  })

  it('are bounded in all', () => {
    const long = Object.fromEntries(Object.keys(TEXT_KEYS).map(key => [key, 'x'.repeat(1_000)]))
    const some = Object.fromEntries(Object.entries(long).slice(0, 32))
    expect(problemsWith({ texts: { en: some } })).toBe('')
    expect(problemsWith({ texts: { en: long } })).toMatch(
      /^rooms\[0\]\.texts must be at most 32,000 characters in all, got/,
    )
  })
})
