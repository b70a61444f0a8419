/** Whether a process that was noted some time ago is still the same one: numbers of processes are used again. */
import { spawnSync } from 'node:child_process'
import { readFileSync, readlinkSync } from 'node:fs'
import { hostname } from 'node:os'

export interface Noted {
  readonly pid: number
  /** When it started, as the system counts; empty where the system does not tell. */
  readonly started: string
}

export function note(pid: number): Noted {
  return { pid, started: startOf(pid) ?? '' }
}

export function isAlive({ pid, started }: Noted): boolean {
  try {
    process.kill(pid, 0)
  } catch (error) {
    // Somebody else's process is there, too.
    if ((error as NodeJS.ErrnoException).code !== 'EPERM') return false
  }
  const now = startOf(pid)
  return now !== null && (started === '' || now === started)
}

/**
 * Where numbers of processes mean the same: one start of one system, and on Linux one namespace (a container has its
 * own).
 */
export function machine(): string {
  try {
    const boot = readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim()
    return `${boot} ${readlinkSync('/proc/self/ns/pid')}`
  } catch {
    return hostname()
  }
}

/** Null for a process that has ended, also when nobody has asked for its exit code yet. */
function startOf(pid: number): string | null {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
    return fields[0] === 'Z' || fields[0] === 'X' ? null : (fields[19] ?? '')
  } catch (error) {
    if (process.platform === 'linux' && (error as NodeJS.ErrnoException).code === 'ENOENT') return null
    const { status, stdout } = spawnSync('ps', ['-o', 'lstart=', '-p', String(pid)], { encoding: 'utf8' })
    return status === 0 ? stdout.trim() : ''
  }
}
