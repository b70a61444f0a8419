/** Makes the scripts of the pages for visitors small. */
import { writeFileSync } from 'node:fs'
import { minifiedScripts, SCRIPTS_FILE } from './pages/scripts.ts'
import { run } from './support/cli.ts'

const USAGE = `npm run minify

Writes the scripts of the pages for visitors into static/scripts.json, from their sources in static/. Run it after a
change of one of them.`

await run(USAGE, {}, main)

async function main(): Promise<number> {
  writeFileSync(SCRIPTS_FILE, await minifiedScripts())
  return 0
}
