/** How a server ends, whichever signal it gets. */
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { groupOf, holdersOf, listens } from '../../support/node/commands.ts'
import { NODE, NPM, scratch, served, useServers } from './servers.ts'

useServers()

describe('the end of a server', () => {
  it.each(
    [NODE, NPM].flatMap(command =>
      (['SIGTERM', 'SIGINT', 'SIGHUP', 'SIGQUIT', 'SIGKILL'] as const).map(signal => ({
        signal,
        to: command === NPM ? 'npm run serve' : 'the command',
        command,
      })),
    ),
  )(
    'by $signal to $to leaves no process, no lock, and nothing in the temporary directory',
    async ({ signal, command }) => {
      const { port, storage, one } = await served([], { command })
      expect(readdirSync(join(scratch, 'tmp')).filter(name => name.startsWith('antesala'))).toEqual([])
      const [server = 0, runtime = 0] = holdersOf(storage)
      expect(groupOf(runtime)).toEqual([runtime])
      // A terminal sends SIGINT to its whole process group. The shell under npm passes no signal on.
      process.kill(signal === 'SIGINT' ? -(one.process.pid ?? 0) : (one.process.pid ?? 0), signal)
      await one.ended()
      const left = async () => ({ server: isThere(server), runtime: groupOf(runtime), listens: await listens(port) })
      await expect.poll(left, { timeout: 20_000 }).toEqual({ server: false, runtime: [], listens: false })
      expect(readdirSync(join(scratch, 'tmp')).filter(name => name.startsWith('antesala'))).toEqual([])
      // A server that was killed outright leaves its lock behind. The next server takes the lock over.
      if (signal !== 'SIGKILL' || command === NPM) expect(holdersOf(storage)).toEqual([])
      else await served(['--storage', storage])
    },
  )

  it('by SIGTERM has the exit code 0', async () => {
    const { one } = await served([])
    one.process.kill('SIGTERM')
    expect(await one.ended()).toBe(0)
  })
})

function isThere(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch {
    return false
  }
}
