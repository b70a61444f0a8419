/** When a command that serves must end: a signal asks it to, or the npm that runs it is gone. */
import { readFileSync } from 'node:fs'

const SIGNALS = ['SIGTERM', 'SIGINT', 'SIGHUP', 'SIGQUIT'] as const
const LOOK_EVERY_MS = 500

/** Resolves when this process must end. From then on a further signal ends it at once. */
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
 * The processes that run this one under npm, as text; empty when npm does not run it. Neither npm nor its shell passes
 * on every signal. When one of them has ended, this process has another parent or grandparent. Without npm a new parent
 * means nothing: a daemon gets one.
 */
function lineage(): string {
  if (process.env.npm_lifecycle_event === undefined) return ''
  const { ppid } = process
  try {
    const isShell = /^[^\0]*sh\0-c\0/.test(readFileSync(`/proc/${ppid}/cmdline`, 'utf8'))
    return isShell ? `${ppid} ${parentOf(ppid)}` : String(ppid)
  } catch {
    // This system is not Linux, or the parent is gone. On other systems the shell of npm becomes the command itself.
    return String(ppid)
  }
}

/** In this file the state and the parent follow the name in brackets. The name may contain any character. */
function parentOf(pid: number): string {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
  return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1] ?? ''
}
