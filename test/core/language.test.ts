import { describe, expect, it } from 'vitest'
import {
  commentsOf,
  filesOf,
  lineAt,
  type Prose,
  type SourceFile,
  textsOf,
  withoutLiterals,
} from '../support/source.ts'

const FOLDERS = ['src', 'tools', 'static', 'test'] as const
const COLUMNS_MAX = 120

/** A visitor, an operator or a program: a noun names the person better than these words. */
const PRONOUNS = /\b(?:nobody|everybody|anybody|somebody|whoever)\b/i
/** A sentence that begins like this lacks its subject, unless it is a question. "That" may come before its noun. */
const BARE_STARTS =
  /(?:^|[.!:;] )(?:Who|What|Of|That (?:is|was|are|were|can|may|must|will|would|has|had|does|holds|means|includes)) (?![^.!]*\?)/
/** These verbs are for people. Data contains, counts and reports. */
const SPEAKING = /\b(?:tells?|told|says?|said|hears?|heard)\b/gi
/** The most of these verbs in the prose of a folder, in 1,000 lines. This limit is never raised. */
const SPEAKING_MAX = 0.2

/** The most words of a sentence in a comment. Most sentences have fewer than twenty. */
const WORDS_MAX = 26

/** Pages speak to people, in many languages. Their texts have rules of their own. */
const hasPageTexts = ({ path }: SourceFile) => /^src\/edge\/pages\/|^static\/(?!admin\/)/.test(path)

const files = FOLDERS.flatMap(folder => filesOf(folder, ['.ts', '.js', '.css', '.html']))
const scripts = files.filter(({ path }) => /\.[tj]s$/.test(path))
const prose = files.map(file => ({ file, pieces: [...commentsOf(file), ...sentencesOf(file)] }))

/** Titles of tests, and texts for people: errors, logs, help and labels. Other texts of tests are data. */
function sentencesOf(file: SourceFile): Prose[] {
  if (!scripts.includes(file) || hasPageTexts(file)) return []
  return textsOf(file).filter(({ kind }) => kind === 'title' || !file.path.startsWith('test/'))
}

function offenders(pattern: RegExp): string[] {
  return prose.flatMap(({ file, pieces }) =>
    pieces
      .filter(({ text }) => pattern.test(text))
      .map(({ start, text }) => `${file.path}:${lineAt(file, start)} ${text}`),
  )
}

describe('the prose of this project', () => {
  it('names people by nouns', () => {
    expect(offenders(PRONOUNS)).toEqual([])
  })

  it('begins no sentence with a bare Who, What, Of or That', () => {
    expect(offenders(BARE_STARTS)).toEqual([])
  })

  it('keeps the sentences of comments short, except in tables', () => {
    const long = files.flatMap(file =>
      commentsOf(file)
        .filter(({ text }) => !text.includes('|--'))
        .flatMap(({ text }) => text.split(/(?<=[.:;?!]) /))
        .filter(sentence => sentence.split(' ').length > WORDS_MAX)
        .map(sentence => `${file.path} ${sentence}`),
    )
    expect(long).toEqual([])
  })

  it.each(FOLDERS)('uses verbs of speech rarely in %s, because data does not speak', folder => {
    const own = prose.filter(({ file }) => file.path.startsWith(`${folder}/`))
    const words = own.flatMap(({ pieces }) => pieces.flatMap(({ text }) => text.match(SPEAKING) ?? []))
    const lines = own.reduce((sum, { file }) => sum + lineAt(file, file.code.length), 0)
    expect((words.length * 1_000) / lines).toBeLessThanOrEqual(SPEAKING_MAX)
  })
})

describe('the code of this project', () => {
  it('has US-ASCII outside of literals, and in the literals of src as well', () => {
    const found = scripts.flatMap(file => {
      const isPlain = file.path.startsWith('src/') && !hasPageTexts(file)
      return linesOf(isPlain ? file.code : withoutLiterals(file))
        .filter(([line]) => /\P{ASCII}/u.test(line))
        .map(([line, number]) => `${file.path}:${number} ${line}`)
    })
    expect(found).toEqual([])
  })

  it('has at most 120 columns, except where a literal is longer', () => {
    const found = scripts.flatMap(file =>
      linesOf(withoutLiterals(file))
        .filter(([line]) => /[^#]/.test(line.slice(COLUMNS_MAX).replace(/^#*['"`]?[),\];]*$/, '')))
        .map(([line, number]) => `${file.path}:${number} ${line.length} columns`),
    )
    expect(found).toEqual([])
  })
})

function linesOf(code: string): [line: string, number: number][] {
  return code.split('\n').map((line, index) => [line, index + 1])
}
