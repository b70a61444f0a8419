/** `npm run serve` as the tests of this folder start it: each server has a storage and a port of its own. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll } from 'vitest'
import { freePort } from '../../../tools/support/ports.ts'
import { newRoomKeys } from '../../../tools/support/secrets.ts'
import { type Running, start } from '../../support/node/commands.ts'
import { type Origin, startOrigin } from '../../support/node/served.ts'

export const NODE = [process.execPath, 'tools/serve.ts']
export const NPM = ['npm', 'run', 'serve', '--']
const ROOMS = [{ name: 'shop', host: '*', total_active_users: 20, new_users_per_minute: 60_000 }]

export let origin: Origin
export let scratch: string
export let env: NodeJS.ProcessEnv
const running: Running[] = []

/** Starts an origin before the tests of a file, and ends every server after its test. */
export function useServers(): void {
  beforeAll(async () => {
    origin = await startOrigin((request, response) => {
      if (request.url === '/blog') response.writeHead(301, { Location: `http://${request.headers.host}/blog/` }).end()
      else response.end(JSON.stringify(request.headers))
    })
  })

  beforeAll(async () => {
    scratch = mkdtempSync(join(tmpdir(), 'antesala-serve-'))
    mkdirSync(join(scratch, 'tmp'))
    writeFileSync(join(scratch, 'rooms.json'), JSON.stringify(ROOMS))
    env = {
      ROOM_KEYS: await newRoomKeys(),
      ADMIN_TOKEN: 'an-admin-token-for-process-tests-only',
      TMPDIR: join(scratch, 'tmp'),
    }
  })

  afterEach(async () => {
    for (const { process: child } of running) child.kill('SIGTERM')
    await Promise.all(running.splice(0).map(({ ended }) => ended()))
  })

  afterAll(async () => {
    await origin.stop()
    rmSync(scratch, { recursive: true, force: true })
  })
}

let storages = 0
export const newStorage = () => join(scratch, `storage-${storages++}`)

export function serve(flags: readonly string[], { command = NODE, more = {} as NodeJS.ProcessEnv } = {}): Running {
  const args = ['--rooms', join(scratch, 'rooms.json'), ...flags]
  if (!flags.includes('--origin')) args.push('--origin', origin.url)
  const one = start([...command, ...args], { ...env, ...more })
  running.push(one)
  return one
}

export async function served(
  flags: readonly string[],
  options = {},
): Promise<{ port: number; storage: string; one: Running }> {
  const port = await freePort()
  const storage = newStorage()
  const one = serve(['--port', String(port), '--storage', storage, ...flags], options)
  await one.says(/open to/)
  return { port, storage, one }
}
