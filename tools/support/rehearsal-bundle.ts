/** Bundles the rehearsal for the browser: the dashboard loads it in a Web Worker. */
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'

const ROOT = fileURLToPath(new URL('../..', import.meta.url))
const FILE = join(ROOT, 'static/admin/rehearse/worker.js')

/** Writes the bundle, unless the file has the same text already: a newer file would make the Worker be built again. */
export async function bundleRehearsal(): Promise<void> {
  const { outputFiles } = await build({
    entryPoints: [join(ROOT, 'src/rehearsal/worker.ts')],
    bundle: true,
    platform: 'browser',
    target: 'es2022',
    format: 'iife',
    minify: true,
    charset: 'ascii',
    legalComments: 'none',
    logLevel: 'warning',
    write: false,
  })
  const text = outputFiles.map(({ text }) => text).join('')
  if (!existsSync(FILE) || readFileSync(FILE, 'utf8') !== text) writeFileSync(FILE, text)
}
