/** The size of the dashboard on the way to an operator, and that visitors get nothing of it. */
import { readdirSync, readFileSync } from 'node:fs'
import { gzipSync } from 'node:zlib'
import { expect, it } from 'vitest'

const GZIP_MAX = 120_000
const OWN = readdirSync('static/admin', { recursive: true, encoding: 'utf8' })
  .filter(name => /\.\w+$/.test(name))
  .map(name => `static/admin/${name}`)
const PACKAGED = ['node_modules/uplot/dist/uPlot.iife.min.js', 'node_modules/uplot/dist/uPlot.min.css']
const VISITORS = readdirSync('static').filter(name => /\.(html|js|css)$/.test(name))

it('sends an operator at most 120 kB, compressed', () => {
  const bytes = [...OWN, ...PACKAGED].reduce((sum, file) => sum + gzipSync(readFileSync(file)).length, 0)
  expect(bytes).toBeLessThan(GZIP_MAX)
})

it.each(VISITORS)('has no part in what a visitor gets as %s', name => {
  expect(readFileSync(`static/${name}`, 'utf8')).not.toMatch(/uplot|admin\//i)
})

it('has each of its files in the list that the Worker serves', () => {
  const modules = readdirSync('src', { recursive: true, encoding: 'utf8' }).filter(name => name.endsWith('.ts'))
  const served = modules.map(name => readFileSync(`src/${name}`, 'utf8')).join('')
  expect([...OWN, ...PACKAGED].filter(file => !served.includes(file))).toEqual([])
})
