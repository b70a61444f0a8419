/** Commands as a user runs them: what they print, how they end, and what they leave behind. */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { connect } from 'node:net'
import { join } from 'node:path'

export interface Running {
  readonly process: ChildProcess
  /** Everything printed so far, errors too. */
  said(): string
  /** Resolves when the pattern is printed. Rejects with all output if the command ends first. */
  says(pattern: RegExp): Promise<RegExpExecArray>
  ended(): Promise<number | null>
}

export function start(command: readonly string[], env: NodeJS.ProcessEnv = {}): Running {
  const [file = '', ...args] = command
  // The command gets its own process group, so that a signal reaches all of it, as from a terminal.
  const child = spawn(file, args, {
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: true,
  })
  let words = ''
  let look = () => {}
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', chunk => {
      words += chunk
      look()
    })
  }
  const ended = once(child, 'close').then(([code]) => code as number | null)
  return {
    process: child,
    said: () => words,
    ended: () => ended,
    says: pattern =>
      new Promise((resolve, reject) => {
        look = () => {
          const match = pattern.exec(words)
          if (match) resolve(match)
        }
        look()
        void ended.then(code => reject(new Error(`${command.join(' ')} ended with ${code}, and said:\n${words}`)))
      }),
  }
}

/** The processes that a storage's lock names: the command first, then the runtime. */
export function holdersOf(storage: string): number[] {
  const locks = readdirSync(storage).filter(name => name.endsWith('.lock'))
  return locks.flatMap(name => {
    const { holders } = JSON.parse(readFileSync(join(storage, name), 'utf8')) as { holders: { pid: number }[] }
    return holders.map(({ pid }) => pid)
  })
}

/** Returns the living processes of a group. On Linux it reads /proc, because a small machine may have no `ps`. */
export function groupOf(leader: number): number[] {
  if (existsSync('/proc/self/stat')) {
    const pids = readdirSync('/proc').filter(name => /^\d+$/.test(name))
    return pids.map(Number).filter(pid => {
      const [state, , group] = statOf(pid)
      return Number(group) === leader && state !== 'Z'
    })
  }
  const { stdout } = spawnSync('ps', ['-A', '-o', 'pid=,pgid=,stat='], { encoding: 'utf8' })
  return stdout.split('\n').flatMap(line => {
    const [pid, group, state = 'Z'] = line.trim().split(/\s+/)
    return Number(group) === leader && !state.startsWith('Z') ? [Number(pid)] : []
  })
}

/** Returns the fields after the name: state, parent, group and so on. Returns none for a process that is gone. */
function statOf(pid: number): string[] {
  try {
    return readFileSync(`/proc/${pid}/stat`, 'utf8')
      .replace(/^.*\) /s, '')
      .split(' ')
  } catch {
    return []
  }
}

/** Returns whether a server listens on the port. */
export function listens(port: number, host = '127.0.0.1'): Promise<boolean> {
  return new Promise(resolve => {
    const socket = connect(port, host)
    socket.once('connect', () => {
      socket.destroy()
      resolve(true)
    })
    socket.once('error', () => resolve(false))
  })
}
