/** Tests the size of the dashboard on the way to an operator, and that visitors get no part of it. */
import { readdirSync, readFileSync } from 'node:fs'
import { gzipSync } from 'node:zlib'
import { expect, it } from 'vitest'
import { parseAst } from 'vitest/node'
import { withoutComments } from '../../src/admin/served/without-comments.ts'

const GZIP_MAX = 120_000
const GZIP_LATER_MAX = 30_000
const OWN = readdirSync('static/admin', { recursive: true, encoding: 'utf8' })
  .filter(name => /\.\w+$/.test(name))
  .map(name => `static/admin/${name}`)
const PACKAGED = ['node_modules/uplot/dist/uPlot.iife.min.js', 'node_modules/uplot/dist/uPlot.min.css']
const VISITORS = readdirSync('static').filter(name => /\.(html|js|css)$/.test(name))

/** Files that are loaded when an operator first rehearses. */
const isLater = (file: string) => file.startsWith('static/admin/rehearse/')

it('sends an operator at most 120 kB, compressed', () => {
  expect(bytesOf([...OWN.filter(file => !isLater(file)), ...PACKAGED])).toBeLessThan(GZIP_MAX)
})

it('sends at most 30 kB more, compressed, to an operator who rehearses', () => {
  expect(bytesOf(OWN.filter(isLater))).toBeLessThan(GZIP_LATER_MAX)
})

it.each(OWN.filter(file => file.endsWith('.js')))('runs %s as it is written, without its comments', file => {
  const bare = withoutComments(textOf(file))
  expect(bare).not.toContain('@ts-check')
  expect(treeOf(bare)).toEqual(treeOf(textOf(file)))
})

it.each(OWN.filter(file => file.endsWith('.css')))('serves the rules of %s, without its comments', file => {
  const all = textOf(file).replaceAll(/\/\*[\s\S]*?\*\//g, '')
  const inLine = (text: string) => text.replaceAll(/\s+/g, ' ').trim()
  expect(inLine(withoutComments(textOf(file)))).toBe(inLine(all))
})

function textOf(file: string): string {
  return readFileSync(file, 'utf8')
}

/** Returns the syntax tree of a script, without the positions of its nodes. */
function treeOf(code: string): unknown {
  return JSON.parse(
    JSON.stringify(parseAst(code, { lang: 'js' }), (key, value) =>
      key === 'start' || key === 'end' || key === 'range' ? undefined : value,
    ),
  )
}

it.each(VISITORS)('has no part in what a visitor gets as %s', name => {
  expect(readFileSync(`static/${name}`, 'utf8')).not.toMatch(/uplot|admin\//i)
})

it('has each of its files in the list that the Worker serves', () => {
  const modules = readdirSync('src', { recursive: true, encoding: 'utf8' }).filter(name => name.endsWith('.ts'))
  const served = modules.map(name => readFileSync(`src/${name}`, 'utf8')).join('')
  expect([...OWN, ...PACKAGED].filter(file => !served.includes(file))).toEqual([])
})

/** The compressed size of files as they are served. Files of packages have no comments to leave out. */
function bytesOf(files: readonly string[]): number {
  const isWhole = (file: string) => file.endsWith('.html') || PACKAGED.includes(file)
  const texts = files.map(file => (isWhole(file) ? textOf(file) : withoutComments(textOf(file))))
  return texts.reduce((sum, text) => sum + gzipSync(text).length, 0)
}
