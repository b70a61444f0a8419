/**
 * Child processes that end with this one, whichever way it ends.
 *
 * A child leads a process group of its own, so that what it starts ends with it. Beside it runs a watcher, a shell that
 * waits for the end of a pipe. Only this process holds the other side, so the pipe also ends when this process is
 * killed outright.
 */
import { type ChildProcess, type StdioOptions, spawn } from 'node:child_process'
import { once } from 'node:events'
import { rmSync } from 'node:fs'

interface ChildOptions {
  readonly stdio: StdioOptions
  readonly cwd?: string
  readonly env?: NodeJS.ProcessEnv
  /** How long the child may take to end by itself after SIGTERM. */
  readonly graceMs?: number
  /** A directory that is removed when the child has ended. */
  readonly scratch?: string
}

export interface Child {
  readonly process: ChildProcess
  /** The exit code of the child; 1 if a signal has ended the child, or if it could not be started. */
  readonly ended: Promise<number>
  stop(): Promise<void>
}

const GRACE_MS = 500
const WATCH = `read -r _
kill -s TERM -- "-$1"
sleep 1
kill -s KILL -- "-$1"
[ -z "$2" ] || rm -rf -- "$2"`

export function startChild(file: string, args: readonly string[], options: ChildOptions): Child {
  const { scratch, graceMs = GRACE_MS, ...given } = options
  const child = spawn(file, args, { ...given, detached: true })
  const watcher = child.pid === undefined ? null : watch(child.pid, scratch)
  const ended = endOf(child).then(code => {
    watcher?.kill('SIGKILL')
    // Processes that the child has started may still run.
    signal(child, 'SIGKILL')
    if (scratch !== undefined) rmSync(scratch, { recursive: true, force: true })
    return code
  })
  const stop = async () => {
    if (child.exitCode === null && child.signalCode === null) signal(child, 'SIGTERM')
    const hard = setTimeout(() => signal(child, 'SIGKILL'), graceMs)
    await ended
    clearTimeout(hard)
  }
  return { process: child, ended, stop }
}

async function endOf(child: ChildProcess): Promise<number> {
  try {
    const [code] = (await once(child, 'exit')) as [number | null]
    return code ?? 1
  } catch {
    return 1
  }
}

/** On a machine without a shell there is no watcher: then only an orderly end of this process ends the child. */
function watch(pid: number, scratch = ''): ChildProcess {
  const watcher = spawn('sh', ['-c', WATCH, 'watcher', String(pid), scratch], {
    stdio: ['pipe', 'ignore', 'ignore'],
    detached: true,
  })
  watcher.once('error', () => undefined)
  watcher.stdin.once('error', () => undefined)
  watcher.unref()
  return watcher
}

/** Signals the whole group, which may have ended already. Windows has no groups. */
function signal(child: ChildProcess, name: NodeJS.Signals): void {
  if (child.pid === undefined) return
  try {
    if (process.platform === 'win32') child.kill(name)
    else process.kill(-child.pid, name)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error
  }
}
