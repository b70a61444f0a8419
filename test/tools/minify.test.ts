import { readFileSync } from 'node:fs'
import { expect, it } from 'vitest'
import { minifiedScripts, SCRIPTS_FILE } from '../../tools/pages/scripts.ts'

it('the scripts that visitors load are made from their sources: run npm run minify after a change', async () => {
  expect(readFileSync(SCRIPTS_FILE, 'utf8')).toBe(await minifiedScripts())
})
