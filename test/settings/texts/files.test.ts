import { readdirSync, readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { type PluralText, TEXT_KEYS } from '../../../src/settings/texts/keys.ts'
import { LANGUAGE_TAGS } from '../../../src/settings/texts/languages.ts'

const FOLDER = new URL('../../../static/texts/', import.meta.url)
const KEYS = Object.entries(TEXT_KEYS) as [string, readonly string[]][]

type Node = string | { readonly [key: string]: Node }

function textsOf(tag: string): Node {
  return JSON.parse(readFileSync(new URL(`${tag}.json`, FOLDER), 'utf8')) as Node
}

/** All texts by key. A text with plural forms is one entry. */
function leaves(node: Node, at = ''): Map<string, string | PluralText> {
  if (typeof node === 'string') return new Map([[at, node]])
  if ('other' in node) return new Map([[at, node as unknown as PluralText]])
  return new Map(Object.entries(node).flatMap(([key, inner]) => [...leaves(inner, at === '' ? key : `${at}.${key}`)]))
}

function formsOf(text: string | PluralText): string[] {
  return typeof text === 'string' ? [text] : Object.values(text)
}

function valuesIn(text: string): string[] {
  return [...new Set([...text.matchAll(/\{(\w+)\}/g)].map(([, name]) => name ?? ''))].sort()
}

const english = leaves(textsOf('en'))

describe('the files of texts', () => {
  it('are those of the languages that can be chosen', () => {
    const files = readdirSync(FOLDER).map(name => name.replace(/\.json$/, ''))
    expect([...LANGUAGE_TAGS].sort()).toEqual(files.sort())
  })

  it('have tags in their canonical form', () => {
    expect(LANGUAGE_TAGS.map(tag => new Intl.Locale(tag).baseName)).toEqual([...LANGUAGE_TAGS])
  })
})

describe.each(LANGUAGE_TAGS)('the texts in %s', tag => {
  const texts = leaves(textsOf(tag))

  it('have every key and no other', () => {
    expect([...texts.keys()]).toEqual(KEYS.map(([key]) => key))
  })

  it('contain the values of their key, and no others', () => {
    const wrong = KEYS.flatMap(([key, values]) =>
      formsOf(texts.get(key) ?? '').filter(text => {
        const named = valuesIn(text)
        // "One second" and "two seconds" may be words.
        const isCounted = typeof texts.get(key) === 'object'
        return isCounted ? named.some(name => !values.includes(name)) : named.join() !== [...values].sort().join()
      }),
    )
    expect(wrong).toEqual([])
  })

  it('have exactly the plural forms of their language', () => {
    const { pluralCategories } = new Intl.PluralRules(tag).resolvedOptions()
    const counted = [...texts].filter(([key]) => typeof english.get(key) === 'object')
    expect(counted.length).toBeGreaterThan(0)
    for (const [key, text] of counted) {
      expect([key, Object.keys(text).sort()]).toEqual([key, [...pluralCategories].sort()])
      expect((text as PluralText).other, key).toContain('{count}')
    }
  })

  it('are neither empty nor in need of escapes', () => {
    const odd = [...texts.values()]
      .flatMap(formsOf)
      .filter(text => text.trim() !== text || text === '' || /[<>\n]/.test(text))
    expect(odd).toEqual([])
  })

  it('have times that are safe in a template of the operator, also between three braces', () => {
    const times = [...texts].filter(([key]) => key.startsWith('time.')).flatMap(([, text]) => formsOf(text))
    expect(times.filter(text => /[&<>"']/.test(text))).toEqual([])
  })

  it('are not left in English', () => {
    const long = [...texts].filter(([key, text]) =>
      formsOf(english.get(key) ?? '').some(own => formsOf(text).includes(own)),
    )
    const same = long.filter(([, text]) => formsOf(text).some(form => form.split(' ').length > 3))
    expect(tag === 'en' ? [] : same).toEqual([])
  })
})

describe('the texts of the page in English', () => {
  it('are ASCII, because a single wide character makes the encoding of the whole page slow', () => {
    const shown = [...english].filter(([key]) => !/^(page\.drawProof)/.test(key)).flatMap(([, text]) => formsOf(text))
    // biome-ignore lint/suspicious/noControlCharactersInRegex: all of ASCII
    expect(shown.filter(text => !/^[\x00-\x7f]*$/.test(text))).toEqual([])
  })
})
