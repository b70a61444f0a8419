/**
 * Installs the programs that tests need, on Debian and Ubuntu, for root and for a CI with a sudo that needs no
 * password.
 */
import { spawn, spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { ROOT } from '../support/build.ts'
import { PROGRAMS, type ProgramName, platform } from './programs.ts'

/**
 * The packages are the script's arguments. Services of the packages are not started: nginx and redis would listen, and
 * outlive the tests. Debian asks /usr/sbin/policy-rc.d whether to start a service, and containers have such a file
 * already.
 */
const APT = `
export DEBIAN_FRONTEND=noninteractive
policy=/usr/sbin/policy-rc.d
if [ ! -e $policy ]; then
  trap 'rm -f $policy' EXIT
  trap 'exit 1' HUP INT TERM
  printf '#!/bin/sh\\nexit 101\\n' >$policy && chmod 755 $policy
fi
apt-get update -qq -o Acquire::Retries=2
apt-get install -y -qq --no-install-recommends -o DPkg::Lock::Timeout=300 "$@"
`
const PLAYWRIGHT = join(ROOT, 'node_modules/playwright-core/cli.js')
const WITHIN_MS = 15 * 60_000
/** The end of a long output is enough to see what went wrong. */
const OUTPUT_CHARS_MAX = 2_000

/** The words that run a command as root: none for root, null for a user who may not, or who has not asked for it. */
export function asRoot(isCi: boolean): readonly string[] | null {
  const on = platform()
  if (on !== 'debian' && on !== 'ubuntu') return null
  if (process.getuid?.() === 0) return []
  const mayUseSudo = isCi && spawnSync('sudo', ['-n', 'true'], { stdio: 'ignore' }).status === 0
  return mayUseSudo ? ['sudo', '-n'] : null
}

/** The packages for these programs: apt packages, and Playwright's Chromium where apt has no usable one. */
export function packagesOf(names: readonly ProgramName[]): string[] {
  return names.flatMap(name => (isOfPlaywright(name) ? [`${name} (by playwright-core)`] : PROGRAMS[name].debian))
}

/** Installs programs. Returns what went wrong, or null when nothing did. */
export async function install(names: readonly ProgramName[], root: readonly string[]): Promise<string | null> {
  const packages = packagesOf(names.filter(name => !isOfPlaywright(name)))
  const failed = packages.length === 0 ? null : await failureOf([...root, 'sh', '-c', APT, 'apt', ...packages])
  if (failed !== null || !names.some(isOfPlaywright)) return failed
  return failureOf([process.execPath, PLAYWRIGHT, 'install', '--with-deps', 'chromium'])
}

function isOfPlaywright(name: ProgramName): boolean {
  return platform() === 'ubuntu' && PROGRAMS[name].ubuntu !== undefined
}

function failureOf([command = '', ...args]: readonly string[]): Promise<string | null> {
  return new Promise(resolve => {
    const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'], timeout: WITHIN_MS })
    let output = ''
    for (const stream of [child.stdout, child.stderr])
      stream.on('data', text => {
        output = (output + text).slice(-OUTPUT_CHARS_MAX)
      })
    child.once('error', error => resolve(error.message))
    child.once('close', code => resolve(code === 0 ? null : errorsOf(output)))
  })
}

/** apt's own error lines, or the end of what was printed. */
function errorsOf(output: string): string {
  const errors = output.split('\n').filter(line => /^E: /.test(line))
  return (errors.length > 0 ? errors : output.trim().split('\n').slice(-3)).join('; ')
}
