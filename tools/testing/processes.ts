/** Whether a noted process is still the same one: the system reuses process numbers. */
import { spawnSync } from 'node:child_process'
import { readFileSync, readlinkSync } from 'node:fs'
import { hostname } from 'node:os'

export interface Noted {
  readonly pid: number
  /** The start time of the process, in units of the system; empty if the system does not report it. */
  readonly started: string
}

export function note(pid: number): Noted {
  return { pid, started: startOf(pid) ?? '' }
}

export function isAlive({ pid, started }: Noted): boolean {
  try {
    process.kill(pid, 0)
  } catch (error) {
    // A process of another user has the number, so it is in use.
    if ((error as NodeJS.ErrnoException).code !== 'EPERM') return false
  }
  const now = startOf(pid)
  return now !== null && (started === '' || now === started)
}

/**
 * The scope in which a process number has one meaning: one start of one system, and on Linux one namespace (a container
 * has its own).
 */
export function machine(): string {
  try {
    const boot = readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim()
    return `${boot} ${readlinkSync('/proc/self/ns/pid')}`
  } catch {
    return hostname()
  }
}

/** Returns null for a process that has ended, even when its exit code has not been read yet. */
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
