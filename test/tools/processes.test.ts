/** No process outlives its parent: a tool, a test, or the whole of `npm test`. */
import { type ChildProcess, spawn } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it, onTestFinished } from 'vitest'
import { supervise } from '../../tools/support/supervised.ts'
import { isAlive as isRunning } from '../../tools/testing/processes.ts'

const CHILDREN = new URL('../../tools/support/children.ts', import.meta.url).href
const QUIET = { silenceMs: 30_000, graceMs: 200, onMessage: () => null, onSilence: () => undefined }

const scratch = mkdtempSync(join(tmpdir(), 'antesala-'))
afterAll(() => rmSync(scratch, { recursive: true }))

function script(code: string): string {
  const file = join(mkdtempSync(join(scratch, 'script-')), 'script.mjs')
  writeFileSync(file, code)
  return file
}

/** Starts a script that prints a process id. Returns the process of the script and that id. */
async function started(code: string): Promise<{ parent: ChildProcess; pid: number }> {
  const parent = spawn(process.execPath, [script(code)], { stdio: ['ignore', 'pipe', 'ignore'] })
  onTestFinished(() => void parent.kill('SIGKILL'))
  const [text] = (await once(parent.stdout as NonNullable<typeof parent.stdout>, 'data')) as [Buffer]
  return { parent, pid: Number(text) }
}

const isAlive = (pid: number) => isRunning({ pid, started: '' })

const WAITS = 'setInterval(() => undefined, 1_000)'
/** Starts a child as tools and tests do, and prints its process id. */
const CHILD = `
  import { startChild } from ${JSON.stringify(CHILDREN)}
  const { process: child } = startChild(process.execPath, ['-e', ${JSON.stringify(WAITS)}], { stdio: 'ignore' })
  console.log(child.pid)
  ${WAITS}
`
/** Starts a child that starts a grandchild and prints the process id of the grandchild. */
const FORKS = `require('child_process').spawn(process.execPath, ['-e', '${WAITS}']).pid`
const GRANDCHILD = `
  import { startChild } from ${JSON.stringify(CHILDREN)}
  const code = ${JSON.stringify(`console.log(${FORKS}); ${WAITS}`)}
  startChild(process.execPath, ['-e', code], { stdio: ['ignore', 'pipe', 'ignore'] }).process.stdout.pipe(process.stdout)
`

describe('a child', () => {
  it.each(['SIGTERM', 'SIGINT', 'SIGHUP', 'SIGKILL'] as const)('ends with a parent that %s ends', async signal => {
    const { parent, pid } = await started(CHILD)
    parent.kill(signal)
    expect(await once(parent, 'exit')).toEqual([null, signal])
    await expect.poll(() => isAlive(pid), { timeout: 5_000 }).toBe(false)
  })

  it.each([
    ['exits', 'process.exit(3)', 3],
    ['throws', 'throw new Error("no")', 1],
  ])('ends with a parent that %s', async (_, end, status) => {
    const { parent, pid } = await started(`${CHILD}; setTimeout(() => { ${end} }, 100)`)
    expect(await once(parent, 'exit')).toEqual([status, null])
    await expect.poll(() => isAlive(pid), { timeout: 5_000 }).toBe(false)
  })

  it('ends its own children, too', async () => {
    const { parent, pid } = await started(GRANDCHILD)
    expect(isAlive(pid)).toBe(true)
    parent.kill('SIGTERM')
    await once(parent, 'exit')
    await expect.poll(() => isAlive(pid), { timeout: 5_000 }).toBe(false)
  })
})

describe('a supervised command', () => {
  it('returns its exit code, and leaves no process running, however stubborn', async () => {
    const pids = join(scratch, 'pids')
    const stubborn = `process.on('SIGTERM', () => undefined); setInterval(() => undefined, 1_000)`
    const { code, leftBehind } = await supervise(
      [
        script(`
          import { spawn } from 'node:child_process'
          import { appendFileSync } from 'node:fs'
          const child = spawn(process.execPath, ['-e', ${JSON.stringify(stubborn)}], { stdio: 'ignore' })
          appendFileSync(${JSON.stringify(pids)}, String(child.pid))
          process.exit(7)
        `),
      ],
      QUIET,
    )
    expect(code).toBe(7)
    expect(leftBehind).toHaveLength(1)
    expect(isAlive(Number(readFileSync(pids, 'utf8')))).toBe(false)
  })

  it.runIf(existsSync('/proc/self/environ'))('ends processes that have left its group, too, on Linux', async () => {
    const pids = join(scratch, 'pids-of-others')
    await supervise(
      [
        script(`
          import { spawn } from 'node:child_process'
          import { writeFileSync } from 'node:fs'
          const options = { stdio: 'ignore', detached: true }
          const child = spawn(process.execPath, ['-e', 'setInterval(() => undefined, 1_000)'], options)
          writeFileSync(${JSON.stringify(pids)}, String(child.pid))
          child.unref()
          process.disconnect()
        `),
      ],
      QUIET,
    )
    expect(isAlive(Number(readFileSync(pids, 'utf8')))).toBe(false)
  })

  it('is ended when it has been silent for too long', async () => {
    let silences = 0
    const waits = [script(`setInterval(() => undefined, 1_000)`)]
    const { code } = await supervise(waits, { ...QUIET, silenceMs: 300, onSilence: () => silences++ })
    expect({ code, silences }).toEqual({ code: 143, silences: 1 })
  })

  it('gets the time that its last message allows', async () => {
    const heard: string[] = []
    const speaks = [script(`process.send('goes on'); process.send('is over'); setInterval(() => undefined, 1_000)`)]
    const onMessage = (message: string) => {
      heard.push(message)
      return message === 'is over' ? 300 : null
    }
    const { code } = await supervise<string>(speaks, { ...QUIET, onMessage })
    expect({ code, heard }).toEqual({ code: 143, heard: ['goes on', 'is over'] })
  })
})

describe.runIf(existsSync('/proc/self/environ'))('npm test', () => {
  const ARGUMENTS = ['--project', 'unit', 'test/tools/crowd/crowd.test.ts']

  it.each([
    ['SIGKILL', [process.execPath, 'tools/test.ts', ...ARGUMENTS]],
    ['SIGTERM', ['npm', 'test', '--', ...ARGUMENTS]],
    ['SIGKILL', ['npm', 'test', '--', ...ARGUMENTS]],
  ] as const)('ends Vitest and its workers when %s ends %j', async (signal, [file, ...args]) => {
    const proof = `PROOF=${randomUUID()}`
    const [name = '', value] = proof.split('=')
    const launcher = spawn(file, args, { env: { ...process.env, [name]: value }, stdio: 'ignore' })
    onTestFinished(() => void launcher.kill('SIGKILL'))
    const commands = () => commandsWith(proof).join('\n')
    await expect.poll(commands, { timeout: 30_000 }).toMatch(/vitest\/dist\/workers\/forks/)
    launcher.kill(signal)
    await once(launcher, 'exit')
    await expect.poll(commands, { timeout: 10_000 }).toBe('')
  })
})

/** Returns the command lines of processes with this variable in their environment. */
function commandsWith(variable: string): string[] {
  const pids = readdirSync('/proc').filter(name => /^\d+$/.test(name))
  return pids.flatMap(pid => {
    try {
      if (!readFileSync(`/proc/${pid}/environ`, 'utf8').split('\0').includes(variable)) return []
      return [readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ')].filter(command => command !== '')
    } catch {
      return []
    }
  })
}
