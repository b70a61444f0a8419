/** Builds the self-contained server folder: a launcher for any node from version 20 on, the Worker, and the runtime. */
import { chmodSync, copyFileSync, mkdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { basename, dirname, join, resolve } from 'node:path'
import { build as bundle } from 'esbuild'
import { FOLDER_FILE, type FolderFile } from './serving/folder.ts'
import { build, DIST, modules, ROOT, wranglerConfig } from './support/build.ts'
import { type Given, run } from './support/cli.ts'
import { WORKERD } from './support/workerd.ts'

const USAGE = `npm run build -- [--out DIR] [--without-runtime] [--with-node]

Builds a folder that serves by itself, without npm and without this checkout: DIR/antesala. The Worker in it is what
a deployment would upload, with the variables and rooms of wrangler.toml.`

const FLAGS = {
  out: { value: 'DIR', help: 'the folder, which is made anew', default: 'dist' },
  'with-node': { help: 'put the node that builds beside the launcher, for a machine with none or an older one' },
  'without-runtime': { help: 'leave workerd out: 140 MB, and of this platform only' },
}

/** This part must run on any node, to report which version is needed. */
const LAUNCHER = `#!/usr/bin/env node
const NEEDED = 20
if (Number(process.versions.node.split('.')[0]) < NEEDED) {
  console.error('antesala needs node ' + NEEDED + ' or newer, and this is ' + process.versions.node)
  process.exit(1)
}
process.env.ANTESALA_LAUNCHER = '1'
import('./launcher.mjs')
`

await run(USAGE, FLAGS, main)

async function main(given: Given): Promise<number> {
  const out = given.out === undefined || given.out === 'dist' ? DIST : resolve(given.out)
  // Builds beside the old folder and replaces it at the end: a server may be running from it.
  const making = join(dirname(out), `.${basename(out)}.new`)
  rmSync(making, { recursive: true, force: true })
  mkdirSync(making, { recursive: true })
  await build(join(making, 'worker'))
  for (const name of ['README.md', 'index.js.map']) rmSync(join(making, 'worker', name), { force: true })
  await buildLauncher(making)
  if (given['without-runtime'] === undefined) copyProgram(WORKERD, join(making, 'workerd'))
  if (given['with-node'] !== undefined) copyProgram(process.execPath, join(making, 'node'))
  rmSync(out, { recursive: true, force: true })
  renameSync(making, out)
  const sizes = ['worker/index.js', 'launcher.mjs'].map(name => `${name} ${kibibytes(join(out, name))} KiB`)
  console.log(`${out}: ${sizes.join(', ')}\n\n  ${join(out, 'antesala')} serve --help`)
  return 0
}

async function buildLauncher(out: string): Promise<void> {
  await bundle({
    entryPoints: [join(ROOT, 'tools/antesala.ts')],
    outfile: join(out, 'launcher.mjs'),
    bundle: true,
    platform: 'node',
    // The other form of jsonc-parser loads its parts by a `require` that cannot be bundled.
    mainFields: ['module', 'main'],
    target: 'node20',
    format: 'esm',
    external: ['workerd'],
    legalComments: 'eof',
    logLevel: 'warning',
  })
  const { version, license } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as Record<string, string>
  const workerd = JSON.parse(readFileSync(join(ROOT, 'node_modules/workerd/package.json'), 'utf8')) as FolderFile
  const { compatibility_date, compatibility_flags = [], vars } = wranglerConfig()
  const folder: FolderFile = {
    version: version ?? '',
    workerdVersion: workerd.version,
    compatibilityDate: compatibility_date,
    compatibilityFlags: compatibility_flags,
    vars,
    modules: modules(join(out, 'worker')).map(({ name, kind }) => ({ name, kind })),
  }
  const description = { name: 'antesala', version, license, private: true, type: 'commonjs', bin: 'antesala' }
  const dependencies = { workerd: workerd.version }
  writeFileSync(join(out, 'package.json'), `${JSON.stringify({ ...description, dependencies }, null, 2)}\n`)
  writeFileSync(join(out, FOLDER_FILE), `${JSON.stringify(folder, null, 2)}\n`)
  writeFileSync(join(out, 'antesala'), LAUNCHER, { mode: 0o755 })
  copyFileSync(join(ROOT, 'LICENSE'), join(out, 'LICENSE'))
}

function copyProgram(from: string, to: string): void {
  copyFileSync(from, to)
  chmodSync(to, 0o755)
}

function kibibytes(file: string): number {
  return Math.round(statSync(file).size / 1_024)
}
