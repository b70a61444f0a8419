/**
 * `npm test`: installs missing programs where it may, runs every test, and lists the tests that were skipped because a
 * program is missing. Arguments are passed to Vitest. It always ends, and leaves no process behind.
 */
import { join } from 'node:path'
import { ROOT } from './support/build.ts'
import { askedToEnd } from './support/ending.ts'
import { supervise } from './support/supervised.ts'
import { asRoot, install, packagesOf } from './testing/install.ts'
import { chosen, type Found, findPrograms, howToInstall, PROGRAMS, type ProgramName } from './testing/programs.ts'
import type { Report, Skipped } from './testing/test-report.ts'

const VITEST = join(ROOT, 'node_modules/vitest/vitest.mjs')
const REPORT = join(ROOT, 'tools/testing/test-report.ts')
/** In CI a test that is skipped because a program is missing is a failure. */
const IS_CI = /^(1|true)$/i.test(process.env.CI ?? '')
/** A test and its hooks take four minutes at most. */
const SILENCE_MS = 6 * 60_000
/** Vitest itself waits ten seconds for its workers. */
const ENDS_WITHIN_MS = 30_000

await installMissing(missingOf(await findPrograms()))

let skipped: Skipped = {}
let running: readonly string[] = []
const given = process.argv.slice(2)
const reporters = [`--reporter=${REPORT}`, ...(given.some(isReporter) ? [] : ['--reporter=default'])]
const { code, leftBehind } = await supervise<Report>([VITEST, 'run', ...given, ...reporters], {
  silenceMs: SILENCE_MS,
  asked: askedToEnd(),
  onMessage: report => {
    if (report.kind === 'progress') running = report.running
    else skipped = report.skipped
    return report.kind === 'over' ? ENDS_WITHIN_MS : null
  },
  onSilence: () => console.error(`npm test: Vitest has stalled and is ended. ${stillRunning()}`),
})
if (leftBehind.length > 0) console.error(`npm test: ended processes that the tests left running:\n${list(leftBehind)}`)
tellSkipped()
process.exitCode = code === 0 && IS_CI && Object.keys(skipped).length > 0 ? 1 : code

async function installMissing(missing: readonly ProgramName[]): Promise<void> {
  const wanted = missing.filter(name => chosen(name) === null)
  const root = wanted.length === 0 ? null : asRoot(IS_CI)
  if (root === null) return tellMissing(missing)
  console.log(`npm test: installing what tests need: ${packagesOf(wanted).join(' ')}`)
  const failure = await install(wanted, root)
  if (failure !== null) console.error(`npm test: the installation failed: ${failure}`)
  tellMissing(missingOf(await findPrograms()))
}

function tellMissing(missing: readonly ProgramName[]): void {
  for (const name of missing)
    console.log(`npm test: ${name} is missing (${PROGRAMS[name].purpose}): ${howToInstall(name)}`)
}

function tellSkipped(): void {
  for (const [name, tests] of Object.entries(skipped) as [ProgramName, readonly string[]][]) {
    console.log(`\nSkipped, because ${name} is missing (${PROGRAMS[name].purpose}):\n${list(tests)}`)
    console.log(`To run these ${tests.length} tests: ${howToInstall(name)}`)
  }
  if (IS_CI && Object.keys(skipped).length > 0) console.error('\nIn CI a skipped test is a failure.')
}

function missingOf(found: Found): ProgramName[] {
  return (Object.keys(found) as ProgramName[]).filter(name => found[name] === null)
}

function stillRunning(): string {
  return running.length === 0 ? 'No test file was running.' : `These files were running:\n${list(running)}`
}

function isReporter(argument: string): boolean {
  return argument === '--reporter' || argument.startsWith('--reporter=')
}

function list(lines: readonly string[]): string {
  return lines.map(line => `  ${line}`).join('\n')
}
