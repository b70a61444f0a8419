/**
 * The programs that tests and tools need beside npm packages: what each is for, how it is found and how it is
 * installed. Only this file has that information. A test that needs a program carries its name as a tag. Where the
 * program is missing, vitest.config.ts skips the tag.
 */
import { execFile } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { delimiter, join, resolve } from 'node:path'

interface Program {
  readonly purpose: string
  /** An environment variable that names the program's file. If it is set, nothing else is tried. */
  readonly variable?: string
  /** Names on the path, or files, in the order in which they are tried. */
  readonly commands: readonly string[]
  /** With these arguments a complete program prints something that matches `prints`. */
  readonly check: readonly string[]
  readonly prints: RegExp
  /** Packages of Debian and Ubuntu. */
  readonly debian: readonly string[]
  /** Ubuntu's command, where its package does not run in a container. */
  readonly ubuntu?: string
  readonly macos: string
  /** Whether only tools need the program, and no test does. */
  readonly isForTools?: true
  /** On these systems the program is not installed for its tests. If it is missing, the tests are left out. */
  readonly isOptionalOn?: readonly Platform[]
}

const TABLE = {
  chromium: {
    purpose: 'the waiting page and the dashboard in a real browser',
    variable: 'CHROMIUM',
    // The headless shell opens a page in a new context four times as fast.
    commands: [
      'chromium-headless-shell',
      'chromium',
      'google-chrome',
      'chromium-browser',
      '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
      '/Applications/Chromium.app/Contents/MacOS/Chromium',
    ],
    check: ['--version'],
    prints: /^(Chromium|Google Chrome)\D* \d/,
    debian: ['chromium-headless-shell'],
    // Ubuntu's own package is a snap.
    ubuntu: 'npx playwright-core install --with-deps chromium',
    macos: 'brew install --cask google-chrome',
  },
  firefox: {
    purpose: 'what differs between browsers, in a real Firefox',
    variable: 'FIREFOX',
    commands: ['firefox-esr', 'firefox', '/Applications/Firefox.app/Contents/MacOS/firefox'],
    check: ['--version'],
    prints: /^Mozilla Firefox \d/m,
    debian: ['firefox-esr'],
    ubuntu: 'sudo apt-get install -y firefox',
    macos: 'brew install --cask firefox',
    // Ubuntu's own package is a snap, and Playwright's Firefox is another one.
    isOptionalOn: ['ubuntu', 'other'],
  },
  python: {
    purpose: 'the Python of docs/snippets, with PyJWT and cryptography',
    // The system's Python comes first: any other cannot load the modules that Debian installs.
    commands: ['/usr/bin/python3', 'python3'],
    check: ['-c', 'import cryptography; from jwt import PyJWKSet; print("has both")'],
    prints: /^has both/,
    debian: ['python3', 'python3-jwt', 'python3-cryptography'],
    macos: 'python3 -m pip install --user PyJWT cryptography',
  },
  php: {
    purpose: 'the PHP of docs/snippets, with ext-sodium',
    commands: ['php'],
    check: ['-r', 'echo extension_loaded("sodium") ? "has sodium" : "";'],
    prints: /^has sodium/,
    debian: ['php-cli'],
    macos: 'brew install php',
  },
  go: {
    purpose: 'the Go of docs/snippets',
    commands: ['go'],
    check: ['version'],
    prints: /^go version/,
    debian: ['golang-go'],
    macos: 'brew install go',
  },
  nginx: {
    purpose: 'the nginx configurations of docs, with auth_request',
    // Debian installs nginx in a folder that is only in root's search path.
    commands: ['nginx', '/usr/sbin/nginx'],
    check: ['-V'],
    prints: /--with-http_auth_request_module/,
    debian: ['nginx-light'],
    macos: 'brew install nginx',
  },
  redis: {
    purpose: 'npm run bench, and the comparison of rate limiters',
    commands: ['redis-server'],
    check: ['--version'],
    prints: /^Redis server/,
    debian: ['redis-server'],
    macos: 'brew install redis',
    isForTools: true,
  },
  wrk: {
    purpose: 'npm run bench',
    commands: ['wrk'],
    check: ['-v'],
    prints: /^wrk /,
    debian: ['wrk'],
    macos: 'brew install wrk',
    isForTools: true,
  },
} as const satisfies Readonly<Record<string, Program>>

export type ProgramName = keyof typeof TABLE

export const PROGRAMS: Readonly<Record<ProgramName, Program>> = TABLE
/** Returns the programs that tests need on a system. */
export function neededOn(system: Platform): readonly ProgramName[] {
  const isNeeded = ({ isForTools, isOptionalOn = [] }: Program) => !isForTools && !isOptionalOn.includes(system)
  return (Object.keys(PROGRAMS) as ProgramName[]).filter(name => isNeeded(PROGRAMS[name]))
}

/** The file of each program, null where it is missing. */
export type Found = Readonly<Partial<Record<ProgramName, string | null>>>

export async function findPrograms(names: readonly ProgramName[] = neededOn(platform())): Promise<Found> {
  return Object.fromEntries(await Promise.all(names.map(async name => [name, await findProgram(name)] as const)))
}

/**
 * The file of a program, or null when the machine has no complete one. A browser may be the one that Playwright
 * installs.
 */
export async function findProgram(name: ProgramName): Promise<string | null> {
  const { commands, check, prints } = PROGRAMS[name]
  const own = chosen(name)
  const isIt = async (file: string) => existsSync(file) && prints.test(await printed(file, check))
  for (const file of (own === null ? commands : [own]).flatMap(filesOf)) if (await isIt(file)) return file
  if (own !== null || name !== 'chromium') return null
  const { chromium } = await import('playwright-core')
  const installed = chromium.executablePath()
  return (await isIt(installed)) ? installed : null
}

/** Where a command may be: itself when it is a file, else in each folder of the path. */
function filesOf(command: string): string[] {
  if (command.includes('/')) return [resolve(command)]
  return (process.env.PATH ?? '').split(delimiter).map(folder => join(folder, command))
}

/** The file named in the environment; null when none is. */
export function chosen(name: ProgramName): string | null {
  const { variable } = PROGRAMS[name]
  return (variable === undefined ? null : process.env[variable]) || null
}

/** The file of a program that a tool needs. Throws with instructions for its installation when it is missing. */
export async function needProgram(name: ProgramName): Promise<string> {
  const file = await findProgram(name)
  if (file === null) throw new Error(`${name} is not on this machine: ${howToInstall(name)}`)
  return file
}

export type Platform = 'debian' | 'ubuntu' | 'macos' | 'other'

export function platform(): Platform {
  if (process.platform === 'darwin') return 'macos'
  const release = existsSync('/etc/os-release') ? readFileSync('/etc/os-release', 'utf8') : ''
  const ids = [...release.matchAll(/^ID(?:_LIKE)?="?([^"\n]*)/gm)].flatMap(([, words = '']) => words.split(' '))
  if (ids.includes('ubuntu')) return 'ubuntu'
  return ids.includes('debian') ? 'debian' : 'other'
}

/** The command that installs a program. On an unknown system it names Debian's packages. */
export function howToInstall(name: ProgramName, on: Platform = platform()): string {
  const { variable, debian, ubuntu, macos } = PROGRAMS[name]
  const own = chosen(name)
  if (own !== null) return `correct ${variable}=${own}, which does not run`
  if (on === 'macos') return macos
  if (on === 'ubuntu' && ubuntu !== undefined) return ubuntu
  const sudo = process.getuid?.() === 0 ? '' : 'sudo '
  return `${sudo}apt-get install -y --no-install-recommends ${debian.join(' ')}`
}

const ANSWERS_WITHIN_MS = 30_000

/** Returns what a program prints, on either stream; nothing when it does not run. */
function printed(file: string, args: readonly string[]): Promise<string> {
  return new Promise(resolve => {
    execFile(file, args, { timeout: ANSWERS_WITHIN_MS }, (_, stdout, stderr) => resolve(stdout + stderr))
  })
}
