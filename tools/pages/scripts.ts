/** Minifies the scripts of the pages for visitors. */
import { readFileSync } from 'node:fs'
import { transform } from 'esbuild'

const STATIC = new URL('../../static/', import.meta.url).pathname
export const SCRIPTS_FILE = `${STATIC}scripts.json`

/** The files of each script, in order. The page before a start shares the countdown of the waiting page. */
const SCRIPTS: Readonly<Record<string, readonly string[]>> = {
  waiting: ['countdown.js', 'waiting.js'],
  tell: ['tell.js'],
  start: ['start.js'],
  form: ['form.js'],
  limited: ['countdown.js', 'limited.js'],
  blocked: ['blocked.js'],
  resubmit: ['resubmit.js'],
}

/** Returns the content of `SCRIPTS_FILE`. The syntax is at most that of 2019. Names outside of functions are kept. */
export async function minifiedScripts(): Promise<string> {
  const made: Record<string, string> = {}
  for (const [name, files] of Object.entries(SCRIPTS)) {
    const source = files.map(file => readFileSync(STATIC + file, 'utf8')).join('\n')
    const { code } = await transform(source, { minify: true, target: 'es2019', charset: 'utf8' })
    made[name] = code.trimEnd()
  }
  return `${JSON.stringify(made, null, 2)}\n`
}
