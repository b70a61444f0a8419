/** The built Worker: what would be deployed, and what plain workerd serves. */
import { once } from 'node:events'
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parse } from 'smol-toml'
import type { Module } from '../serving/bundle.ts'
import { startChild } from './children.ts'

export const ROOT = fileURLToPath(new URL('../..', import.meta.url))
export const DIST = join(ROOT, 'dist')
/** The Worker's place in the build folder. */
const WORKER = join(DIST, 'worker')
/** Wrangler's script. It runs with the node of this process, not with the machine's. */
export const WRANGLER = join(ROOT, 'node_modules/wrangler/bin/wrangler.js')

/** The parts of wrangler.toml that tools need. */
interface WranglerConfig {
  readonly compatibility_date: string
  readonly compatibility_flags?: readonly string[]
  readonly vars: Readonly<Record<string, unknown>>
}

export function wranglerConfig(): WranglerConfig {
  const config = parse(readFileSync(join(ROOT, 'wrangler.toml'), 'utf8')) as unknown as WranglerConfig
  return { ...config, vars: config.vars ?? {} }
}

/**
 * Bundles the Worker, as a deployment would: not minified, so that a stack trace names functions. Throws with the
 * bundler's output when it fails.
 */
export async function build(outdir = WORKER): Promise<void> {
  const args = ['deploy', '--dry-run', '--outdir', outdir]
  const { code, output } = await runQuietly([WRANGLER, ...args])
  if (code !== 0) throw new Error(`the build failed:\n${output}`)
}

/** Returns true when there is no build, or a source is newer than the build. */
export function isStale(): boolean {
  const built = join(WORKER, 'index.js')
  if (!existsSync(built)) return true
  const builtMs = statSync(built).mtimeMs
  return ['src', 'static', 'wrangler.toml', 'package-lock.json'].some(path => newestIn(join(ROOT, path)) > builtMs)
}

/** Modules of a build: the entry first, then its text modules. */
export function modules(directory = WORKER): Module[] {
  const texts = readdirSync(directory).filter(name => /\.(html|css|js|json)$/.test(name) && name !== 'index.js')
  return [
    { name: 'index.js', path: join(directory, 'index.js'), kind: 'esModule' },
    ...texts.map(name => ({ name, path: join(directory, name), kind: 'text' as const })),
  ]
}

function newestIn(path: string): number {
  const stat = statSync(path)
  if (!stat.isDirectory()) return stat.mtimeMs
  return Math.max(stat.mtimeMs, ...readdirSync(path).map(name => newestIn(join(path, name))))
}

/** Wrangler asks no questions and sends no reports. */
export const QUIET_ENV = {
  ...process.env,
  CI: '1',
  WRANGLER_SEND_METRICS: 'false',
  WRANGLER_SEND_ERROR_REPORTS: 'false',
  CLOUDFLARE_CF_FETCH_ENABLED: 'false',
}

async function runQuietly(args: readonly string[]): Promise<{ code: number; output: string }> {
  const stdio = ['ignore', 'pipe', 'pipe'] as const
  const { process: child, ended } = startChild(process.execPath, args, { cwd: ROOT, env: QUIET_ENV, stdio: [...stdio] })
  let output = ''
  for (const stream of [child.stdout, child.stderr]) {
    stream?.on('data', chunk => {
      output += chunk
    })
  }
  // The last output may come after the exit.
  const closed = once(child, 'close').catch(() => undefined)
  const code = await ended
  await closed
  return { code, output }
}
