import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import type { Outcome } from '../support/node/tool.ts'

const TOOLS = [
  ...[
    'start',
    'build',
    'serve',
    'crowd',
    'bench',
    'simulate',
    'soak',
    'docs',
    'screenshots',
    'scenarios',
    'fuzz',
    'import',
    'keys',
    'check-config',
    'verify-draw',
    'room',
  ].map(name => `tools/${name}.ts`),
  'tools/demo/shop.ts',
]

const WRONG_VALUES: readonly [file: string, args: readonly string[], named: string][] = [
  ['tools/start.ts', ['--port', 'http'], '--port'],
  ['tools/start.ts', ['--origin', 'shop'], '--origin'],
  ['tools/start.ts', ['--origin', 'https://h/base/path'], '--origin must be an address'],
  ['tools/start.ts', ['--origin', 'http://h', '--origin-host-header', 'both'], '--origin-host-header must be'],
  ['tools/start.ts', ['--host', 'a b'], '--host must be'],
  ['tools/serve.ts', ['--origin', 'https://h/base/path'], '--origin must be an address'],
  ['tools/serve.ts', ['--host', 'http://127.0.0.1'], '--host must be'],
  ['tools/serve.ts', ['--isolates', '0'], '--isolates'],
  ['tools/serve.ts', ['--admin-token', 'short'], '--admin-token'],
  ['tools/crowd.ts', [], '--visitors'],
  ['tools/crowd.ts', ['--url', 'http://127.0.0.1:1/', '--visitors', '5', '--no-shows', '2'], '--no-shows'],
  ['tools/bench.ts', ['--seconds', '0'], '--seconds'],
  ['tools/bench.ts', ['--only', 'nothing'], '--only'],
  ['tools/fuzz.ts', ['--requests', 'many'], '--requests'],
  ['tools/simulate.ts', ['--loss', '-1'], '--loss'],
  ['tools/simulate.ts', ['--method', 'lottery'], '--method'],
  ['tools/simulate.ts', ['--method', 'random', '--shuffle-window', '3'], '--shuffle-window'],
  ['tools/simulate.ts', ['--event-draw'], '--prequeue'],
  ['tools/simulate.ts', ['--robots', '2'], '--robots'],
  ['tools/simulate.ts', ['--holders', '0.8', '--droppers', '0.5'], '--droppers'],
  ['tools/simulate.ts', ['--limit', '60'], '--limit'],
  ['tools/simulate.ts', ['--arrivals', 'no-such-file.csv'], '--arrivals'],
  ['tools/soak.ts', ['--seeds', '0'], '--seeds'],
  ['tools/keys.ts', ['melt'], 'melt'],
  ['tools/keys.ts', ['token', '--name', 'ana', '--role', 'root'], '--role must be'],
  ['tools/import.ts', ['queue-it', 'a.json'], 'cloudflare'],
  ['tools/verify-draw.ts', ['--event', 'sale'], '--sid'],
  ['tools/verify-draw.ts', ['--event', 'a sale', '--sid', 'x'], '--event'],
  ['tools/room.ts', ['get', '--url', 'shop'], '--url'],
  ['tools/demo/shop.ts', ['--capacity', '0'], '--capacity'],
]
const WRONG_VARIABLES = ['tools/serve.ts', '--admin-host', 'a b', '--trusted-ip-header', 'X Real IP']

/** All command lines run in one process, so that node and the shared modules of tools are loaded once. */
const outcomes = runAll([
  ...TOOLS.flatMap(file => [
    [file, '--help'],
    [file, '--no-such-flag'],
  ]),
  ...WRONG_VALUES.map(([file, args]) => [file, ...args]),
  WRONG_VARIABLES,
])

function runAll(lines: readonly (readonly string[])[]): Map<string, Outcome> {
  const input = JSON.stringify(lines)
  const { stdout, stderr } = spawnSync(process.execPath, ['test/support/node/run-tools.ts'], {
    encoding: 'utf8',
    input,
  })
  if (stdout === '') throw new Error(`the tools did not run: ${stderr}`)
  return new Map((JSON.parse(stdout) as Outcome[]).map((outcome, index) => [JSON.stringify(lines[index]), outcome]))
}

function tool(...line: readonly string[]): Outcome {
  const outcome = outcomes.get(JSON.stringify(line))
  if (outcome === undefined) throw new Error(`${line.join(' ')} was not run`)
  return outcome
}

describe.each(TOOLS)('%s', file => {
  it('prints its help', () => {
    const { status, stdout } = tool(file, '--help')
    expect(status).toBe(0)
    expect(stdout).toContain('--help')
  })

  it('refuses an unknown flag by name, with code 2', () => {
    const { status, stderr } = tool(file, '--no-such-flag')
    expect(status).toBe(2)
    expect(stderr).toContain('--no-such-flag')
    expect(stderr).not.toMatch(/\n\s+at .*:\d+:\d+/)
  })
})

describe('the crowd', () => {
  it('goes to the address of npm start by default', () => {
    const [, port] = /--port N .*\((\d+)\)/.exec(tool('tools/start.ts', '--help').stdout) ?? []
    expect(tool('tools/crowd.ts', '--help').stdout).toContain(`(http://localhost:${port}/)`)
  })
})

describe('wrong values', () => {
  it.each(WRONG_VALUES)('are refused with code 2: %s %j', (file, args, named) => {
    const { status, stderr } = tool(file, ...args)
    expect({ status, names: stderr.includes(named) }, stderr).toEqual({ status: 2, names: true })
  })
})

describe('variables that the Worker would refuse', () => {
  it('are refused by serve before anything starts, with the reason', () => {
    const { status, stderr } = tool(...WRONG_VARIABLES)
    expect(status).toBe(1)
    expect(stderr).toContain('ADMIN_HOST must be a host name, got "a b"')
    expect(stderr).toContain('TRUSTED_IP_HEADER must be a header name, got "X Real IP"')
  })
})

const LOCKFILES = ['package-lock.json', 'tools/compare-limiters/package-lock.json']

function packagesIn(file: string) {
  const { packages } = JSON.parse(readFileSync(file, 'utf8')) as {
    packages: Record<string, { optionalDependencies?: Record<string, string>; resolved?: string }>
  }
  return packages
}

describe('the lockfile', () => {
  const packages = packagesIn('package-lock.json')

  it('has an entry for every platform, so that npm ci works everywhere', () => {
    const missing = Object.entries(packages).flatMap(([path, { optionalDependencies }]) =>
      Object.keys(optionalDependencies ?? {}).filter(
        name => !(`${path}/node_modules/${name}` in packages) && !(`node_modules/${name}` in packages),
      ),
    )
    expect(missing).toEqual([])
    for (const platform of ['darwin-arm64', 'darwin-64', 'linux-64', 'linux-arm64', 'windows-64']) {
      expect(packages).toHaveProperty([`node_modules/@cloudflare/workerd-${platform}`])
    }
  })

  it.each(LOCKFILES)('names no registry but the public one: %s', file => {
    const hosts = new Set(
      Object.values(packagesIn(file)).flatMap(({ resolved }) => (resolved ? [new URL(resolved).host] : [])),
    )
    expect([...hosts].filter(host => host !== 'registry.npmjs.org')).toEqual([])
  })
})
