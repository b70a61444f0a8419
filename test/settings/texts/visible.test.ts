/** Visitors read only texts of `static/texts`, in their language: pages and scripts contain none of their own. */
import { readdirSync, readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'

const ROOT = new URL('../../../', import.meta.url)

function filesOf(folder: string, ending: string): string[] {
  return readdirSync(new URL(folder, ROOT))
    .filter(name => name.endsWith(ending))
    .map(name => `${folder}${name}`)
}

function read(path: string): string {
  return readFileSync(new URL(path, ROOT), 'utf8')
}

/** The words of a template that a visitor reads: text between tags, and attributes. Variables are left out. */
function visibleIn(html: string): string[] {
  const own = html.replace(/\{\{\{?[^}]*\}?\}\}/g, '')
  const attributes = [...own.matchAll(/\s(?:aria-label|title|alt|placeholder)="([^"]*)"/g)].map(
    ([, text]) => text ?? '',
  )
  return [...own.split(/<[^>]*>/), ...attributes].map(text => text.trim()).filter(text => /\p{L}/u.test(text))
}

/** String literals of a program that read like a sentence or a label. No visitor reads the message of an Error. */
function sentencesIn(code: string): string[] {
  const lines = code
    .replace(/\/\*.*?\*\//gs, '')
    .split('\n')
    .filter(line => !/^\s*(\/\/|import |export .* from )|throw new Error\(/.test(line))
  const literals = [...lines.join('\n').matchAll(/'((?:[^'\\\n]|\\.)*)'|`((?:[^`\\]|\\.)*)`/g)]
  return literals
    .map(([, single, template]) => single ?? template ?? '')
    .filter(
      text => /^\p{Lu}\p{Ll}+ \p{Ll}/u.test(text) || /\p{Ll} \p{Ll}+[ .,]/u.test(text.replace(/\$\{[^}]*\}/g, '')),
    )
}

describe('visible text', () => {
  it('is found in a template and in a program', () => {
    expect(visibleIn('<p class="soft">Keep {{this}} open</p><i aria-label="Way"></i>')).toEqual(['Keep  open', 'Way'])
    expect(sentencesIn("show('Try again')\nshow(`All of them are left.`)\n// 'Not this one'")).toEqual([
      'Try again',
      'All of them are left.',
    ])
  })

  it.each(filesOf('static/', '.html'))('of %s is in the files of texts', path => {
    expect(visibleIn(read(path).replace('{{> head}}', ''))).toEqual([])
  })

  it.each([...filesOf('static/', '.js'), ...filesOf('src/edge/pages/', '.ts')])(
    'of %s is in the files of texts',
    path => {
      expect(sentencesIn(read(path))).toEqual([])
    },
  )

  it.each([...filesOf('src/edge/answer/', '.ts'), 'src/edge/control/poll.ts'])(
    'of %s is no title or detail of its own',
    path => {
      expect(read(path).match(/\b(?:title|detail)(?::| =) ['`].*/g)).toBeNull()
    },
  )
})
