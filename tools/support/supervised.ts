/** A command whose processes all end with it: it leads a process group, and every process that it starts has a mark. */
import { spawn } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { constants } from 'node:os'

interface Supervision<Message> {
  /** How long the command may send nothing before it is ended. */
  readonly silenceMs: number
  /** Processes have this long to end by themselves, and again to obey a signal. The default is 3,000 ms. */
  readonly graceMs?: number
  /** Resolves when the command is to be ended. */
  readonly asked?: Promise<void>
  /** Called with each message. Returns for how long the command may now send nothing, or null for `silenceMs`. */
  readonly onMessage: (message: Message) => number | null
  /** Called when the command is ended because it has been silent. */
  readonly onSilence: () => void
}

/** The processes of one run: those of a group, and those with the mark. */
interface Run {
  readonly leader: number
  readonly mark: string
}

/**
 * A variable in the environment of every process of one run. A browser leaves the process group. On Linux this variable
 * shows that the browser belongs to the run.
 */
const MARK = 'ANTESALA_RUN'
const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const
const LOOKS_EVERY_MS = 50

/**
 * Runs a script with this node until it ends. Returns the exit code as a shell reports it. Afterwards none of its
 * processes is left.
 */
export async function supervise<Message>(
  [script = '', ...args]: readonly string[],
  { silenceMs, graceMs = 3_000, asked, onMessage, onSilence }: Supervision<Message>,
): Promise<{ readonly code: number; readonly leftBehind: readonly string[] }> {
  const id = randomUUID()
  const child = spawn(process.execPath, [script, ...args], {
    detached: true,
    env: { ...process.env, [MARK]: id },
    stdio: ['inherit', 'inherit', 'inherit', 'ipc'],
  })
  const leader = child.pid ?? 0
  let timer: NodeJS.Timeout | undefined
  const end = () => {
    endGroup(leader, 'SIGTERM')
    setTimeout(() => endGroup(leader, 'SIGKILL'), graceMs).unref()
  }
  const expect = (withinMs: number) => {
    clearTimeout(timer)
    timer = setTimeout(() => {
      onSilence()
      end()
    }, withinMs)
  }
  void asked?.then(() => {
    // A terminal and npm may each pass on the same Ctrl-C. The end takes only seconds, so further signals are ignored.
    for (const signal of SIGNALS) process.on(signal, () => undefined)
    end()
  })
  child.on('message', message => expect(onMessage(message as Message) ?? silenceMs))
  expect(silenceMs)
  const code = await new Promise<number>((resolve, reject) => {
    child.once('error', reject)
    child.once('exit', (code, signal) => resolve(code ?? 128 + constants.signals[signal ?? 'SIGKILL']))
  })
  clearTimeout(timer)
  const leftBehind = await endTheRest({ leader, mark: `${MARK}=${id}` }, graceMs)
  return { code, leftBehind }
}

/** Ends what is left of a run. Returns the commands of those that did not end by themselves. */
async function endTheRest(run: Run, graceMs: number): Promise<string[]> {
  const isOver = () => processesOf(run).length === 0
  await until(isOver, graceMs)
  const left = processesOf(run).map(({ command }) => command)
  for (const signal of ['SIGTERM', 'SIGKILL'] as const) {
    for (const { pid } of processesOf(run)) endProcess(pid, signal)
    await until(isOver, graceMs)
  }
  return left
}

async function until(isSo: () => boolean, withinMs: number): Promise<void> {
  const endMs = performance.now() + withinMs
  while (!isSo() && performance.now() < endMs) await new Promise(resolve => setTimeout(resolve, LOOKS_EVERY_MS))
}

/** The processes that are alive, in the group or with the mark. Without /proc the group stands for all of them. */
function processesOf({ leader, mark }: Run): { readonly pid: number; readonly command: string }[] {
  if (!existsSync('/proc/self/stat'))
    return endGroup(leader, 0) ? [{ pid: -leader, command: `process group ${leader}` }] : []
  const pids = readdirSync('/proc').filter(name => /^\d+$/.test(name))
  return pids.flatMap(pid => {
    try {
      // The state, the parent and the group follow the name, which may contain any character.
      const [state, , group] = readFileSync(`/proc/${pid}/stat`, 'utf8')
        .replace(/^.*\) /s, '')
        .split(' ')
      if (state === 'Z' || state === 'X') return []
      const isOurs = Number(group) === leader || readFileSync(`/proc/${pid}/environ`, 'utf8').split('\0').includes(mark)
      const command = readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ').trim()
      return isOurs ? [{ pid: Number(pid), command }] : []
    } catch {
      // The process has ended, or belongs to another user.
      return []
    }
  })
}

/** Returns false when no process of the group is left. */
function endGroup(leader: number, signal: NodeJS.Signals | 0): boolean {
  try {
    return process.kill(-leader, signal)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ESRCH') return false
    throw error
  }
}

function endProcess(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal)
  } catch {
    // The process has ended by itself.
  }
}
