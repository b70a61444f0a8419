/** When a command that serves has to end: it is asked to by a signal, or the npm that runs it is gone. */
import { readFileSync } from 'node:fs'

const SIGNALS = ['SIGTERM', 'SIGINT', 'SIGHUP', 'SIGQUIT'] as const
const LOOK_EVERY_MS = 500

/** Resolves when this process is to end. From then on a further signal ends it at once. */
export function askedToEnd(): Promise<void> {
  return new Promise(resolve => {
    const asked = () => {
      for (const name of SIGNALS) process.off(name, asked)
      clearInterval(looking)
      resolve()
    }
    for (const name of SIGNALS) process.on(name, asked)
    const looking = setInterval(() => {
      if (lineage() !== before) asked()
    }, LOOK_EVERY_MS)
    looking.unref()
    const before = lineage()
  })
}

/**
 * The processes that run this one under npm, as text; empty when npm does not. Neither npm nor its shell passes every
 * signal on, and when one of them is gone, this process has another parent or grandparent. Under anything else a new
 * parent is no news: a daemon gets one.
 */
function lineage(): string {
  if (process.env.npm_lifecycle_event === undefined) return ''
  const { ppid } = process
  try {
    const isShell = /^[^\0]*sh\0-c\0/.test(readFileSync(`/proc/${ppid}/cmdline`, 'utf8'))
    return isShell ? `${ppid} ${parentOf(ppid)}` : String(ppid)
  } catch {
    // Not Linux, or the parent is gone. Elsewhere the shell of npm becomes the command itself.
    return String(ppid)
  }
}

/** The fields of this file follow the name in brackets, in which anything may stand: state, parent, … */
function parentOf(pid: number): string {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
  return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1] ?? ''
}
