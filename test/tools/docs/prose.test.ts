/** The form of the pages: lines that a reader can take in, and sentences with a subject. */
import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'

const COLUMNS_MAX = 140
/** Pages whose tables may be wider. */
const WITH_WIDE_TABLES = new Set(['docs/guarantees.md', 'docs/alerts.md'])
/** Words without a noun: they leave open which visitor is meant. */
const VAGUE = /\b(nobody|whoever|anybody|everybody|somebody)\b/i
/** A sentence that begins so has no subject at its beginning. */
const WITHOUT_SUBJECT = /(?:^|[.!?] )(?:(?:Who|What|Of) [a-z]|That (?:is|was|has|had|would|can|means) )/

const PAGES = execFileSync('git', ['ls-files', '--cached', '--others', '--exclude-standard', '*.md'], {
  encoding: 'utf8',
})
  .split('\n')
  .filter(page => page !== '')

describe('a page of the documentation', () => {
  it.each(PAGES)('has lines of at most 140 columns in %s', page => {
    const lines = linesOf(page).filter(({ text }) => !(WITH_WIDE_TABLES.has(page) && text.startsWith('|')))
    expect(lines.filter(({ text }) => [...text].length > COLUMNS_MAX)).toEqual([])
  })

  it.each(PAGES)('has plain sentences in %s', page => {
    const prose = linesOf(page).filter(({ isCode, text }) => !isCode && !/^(#|\|)/.test(text))
    expect(prose.filter(({ text }) => VAGUE.test(text) || WITHOUT_SUBJECT.test(text))).toEqual([])
  })
})

interface Line {
  readonly nth: number
  readonly text: string
  readonly isCode: boolean
}

/** The lines of a page, with the lines of code marked. */
function linesOf(page: string): readonly Line[] {
  let isCode = false
  return readFileSync(page, 'utf8')
    .split('\n')
    .map((text, index) => {
      const isFence = /^ *```/.test(text)
      if (isFence) isCode = !isCode
      return { nth: index + 1, text, isCode: isCode || isFence }
    })
}
