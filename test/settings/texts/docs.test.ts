import { readFileSync } from 'node:fs'
import { expect, it } from 'vitest'
import { LANGUAGE_TAGS } from '../../../src/settings/texts/languages.ts'

it('lists every language on its page of the documentation', () => {
  const page = readFileSync(new URL('../../../docs/languages.md', import.meta.url), 'utf8')
  const [, list = ''] = /<!-- languages -->(.*)<!-- end of languages -->/s.exec(page) ?? []
  expect([...list.matchAll(/^\| `([\w-]+)` \|/gm)].map(([, tag]) => tag)).toEqual([...LANGUAGE_TAGS])
})
