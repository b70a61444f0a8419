/** The list of states in the documentation. */
import { readFileSync } from 'node:fs'
import { expect, it } from 'vitest'
import { STATES } from '../../../src/edge/mark.ts'

it('lists each state of the mark exactly once', () => {
  const page = readFileSync('docs/http.md', 'utf8')
  const [, table = ''] = /\n\| `Waiting-Room-State` \|.*\n\|---\|---\|\n((?:\|.*\n)+)/.exec(page) ?? []
  const listed = table.split('\n').flatMap(row => [...(row.split('|')[1] ?? '').matchAll(/`([\w-]+)`/g)])
  expect(listed.map(([, state]) => state).sort()).toEqual([...STATES].sort())
})
