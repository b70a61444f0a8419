import { mkdirSync, mkdtempSync, readdirSync, rmSync, utimesSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { networkInterfaces, tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { freePort } from '../../../tools/support/ports.ts'
import { newRoomKeys } from '../../../tools/support/secrets.ts'
import { machine } from '../../../tools/testing/processes.ts'
import { groupOf, holdersOf, listens, type Running, start } from '../../support/node/commands.ts'
import { type Origin, startOrigin } from '../../support/node/served.ts'

const NODE = [process.execPath, 'tools/serve.ts']
const NPM = ['npm', 'run', 'serve', '--']
const ROOMS = [{ name: 'shop', host: '*', total_active_users: 20, new_users_per_minute: 60_000 }]

let origin: Origin
let scratch: string
let env: NodeJS.ProcessEnv
const running: Running[] = []

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

let storages = 0
const newStorage = () => join(scratch, `storage-${storages++}`)

function serve(flags: readonly string[], { command = NODE, more = {} as NodeJS.ProcessEnv } = {}): Running {
  const args = ['--rooms', join(scratch, 'rooms.json'), ...flags]
  if (!flags.includes('--origin')) args.push('--origin', origin.url)
  const one = start([...command, ...args], { ...env, ...more })
  running.push(one)
  return one
}

async function served(
  flags: readonly string[],
  options = {},
): Promise<{ port: number; storage: string; one: Running }> {
  const port = await freePort()
  const storage = newStorage()
  const one = serve(['--port', String(port), '--storage', storage, ...flags], options)
  await one.says(/open to/)
  return { port, storage, one }
}

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

describe('a storage', () => {
  it('is refused to a second server, which names the process that uses it, and is free again afterwards', async () => {
    const { port, storage, one } = await served([])
    const second = serve(['--port', String(await freePort()), '--storage', storage])
    expect(await second.ended()).toBe(1)
    const [server, runtime] = holdersOf(storage)
    expect(second.said()).toContain(`${storage} is in use by process ${server} and ${runtime} (on port ${port}, since `)
    expect(second.said()).not.toContain('serving')
    one.process.kill('SIGTERM')
    await one.ended()
    await served(['--storage', storage])
  })

  it('has one server when eight start at once', async () => {
    const storage = newStorage()
    const ports = await Promise.all(Array.from({ length: 8 }, freePort))
    const all = ports.map(port => serve(['--port', String(port), '--storage', storage]))
    const outcomes = await Promise.all(
      all.map(one =>
        Promise.race([one.says(/open to/).then(() => 'serves'), one.ended().then(() => 'refused')]).catch(
          () => 'refused',
        ),
      ),
    )
    expect(outcomes.filter(outcome => outcome === 'serves')).toHaveLength(1)
    for (const one of all.filter((_, index) => outcomes[index] === 'refused'))
      expect(one.said()).toContain('is in use by')
  })

  it('is taken over when its lock names a process that has ended, or whose number was reused', async () => {
    const storage = newStorage()
    mkdirSync(storage)
    const lock = (holders: unknown) =>
      JSON.stringify({ machine: machine(), holders, what: 'x', since: 'y', isHeld: true })
    writeFileSync(join(storage, 'a.lock'), lock([{ pid: 2 ** 22 + 5, started: '1' }]))
    // This process is alive, but it did not start then.
    writeFileSync(join(storage, 'b.lock'), lock([{ pid: process.pid, started: '1' }]))
    writeFileSync(join(storage, 'c.lock'), 'not a lock')
    await served(['--storage', storage])
    expect(readdirSync(storage).filter(name => /^[abc]\.lock$/.test(name))).toEqual([])
  })

  it('is refused while another machine refreshes its lock, and taken over once that stops', async () => {
    const storage = newStorage()
    mkdirSync(storage)
    const file = join(storage, 'other.lock')
    const holders = [{ pid: 1, started: '' }]
    writeFileSync(file, JSON.stringify({ machine: 'another', holders, what: 'on port 1', since: 'y', isHeld: true }))
    const touching = setInterval(() => utimesSync(file, new Date(), new Date()), 500)
    const flags = ['--port', String(await freePort()), '--storage', storage]
    try {
      const refused = serve(flags)
      expect(await refused.ended()).toBe(1)
      expect(refused.said()).toContain('is in use by process 1 of another machine or container (on port 1')
    } finally {
      clearInterval(touching)
    }
    await serve(flags).says(/open to/)
  })
})

describe('a port', () => {
  it('that is taken is refused before anything is printed, with a free port and the command for it', async () => {
    const other = createServer().listen(0, '127.0.0.1')
    await new Promise(resolve => other.once('listening', resolve))
    const { port } = other.address() as AddressInfo
    const one = serve(['--storage', 'memory', '--port', String(port), '--admin-host', 'admin.test'])
    expect(await one.ended()).toBe(1)
    expect(one.said()).not.toContain('serving')
    expect(one.said()).toContain(`port ${port} is taken. Port `)
    const [, free = ''] = /Port (\d+) is free:/.exec(one.said()) ?? []
    const flags = `--rooms ${join(scratch, 'rooms.json')} --storage memory --admin-host admin.test --origin ${origin.url}`
    expect(one.said()).toContain(`\n  npm run serve -- --port ${free} ${flags}\n`)
    expect(await listens(Number(free))).toBe(false)
    other.close()
  })

  it('is open to this machine only, unless --host opens it', async () => {
    const others = Object.values(networkInterfaces()).flatMap(all => all ?? [])
    const outside = others.find(({ family, internal }) => family === 'IPv4' && !internal)?.address
    // A machine without a network has only loopback addresses.
    const address = outside ?? '127.0.0.2'
    const closed = await served([])
    expect([await listens(closed.port), await listens(closed.port, address)]).toEqual([true, false])
    expect(closed.one.said()).toContain('open to     this machine only; --host 0.0.0.0 opens it to others')
    const open = await served(['--host', '0.0.0.0'])
    expect([await listens(open.port), await listens(open.port, address)]).toEqual([true, true])
    expect(open.one.said()).toContain('open to     everybody who can reach this machine')
    await open.one.says(/the dashboard answers on every host: name the only one with --admin-host/)
  })
})

describe('an origin', () => {
  const ask = async (port: number, path: string) => {
    const response = await fetch(`http://localhost:${port}${path}`, { redirect: 'manual' })
    return { status: response.status, location: response.headers.get('Location'), text: await response.text() }
  }

  it("on this machine receives the visitor's Host and address", async () => {
    const { port } = await served([])
    expect(JSON.parse((await ask(port, '/')).text)).toMatchObject({
      host: `localhost:${port}`,
      'x-forwarded-host': `localhost:${port}`,
      'x-forwarded-proto': 'http',
      'x-forwarded-for': '127.0.0.1',
    })
    expect((await ask(port, '/blog')).location).toBe(`http://localhost:${port}/blog/`)
  })

  it('receives its own Host on request, and a redirect to itself is logged once, with the cure', async () => {
    const { port, one } = await served(['--origin-host-header', 'origin'])
    const { host } = new URL(origin.url)
    expect(JSON.parse((await ask(port, '/')).text)).toMatchObject({ host, 'x-forwarded-host': `localhost:${port}` })
    expect(one.said()).not.toContain('redirects to its own host')
    for (let nth = 0; nth < 3; nth++) expect((await ask(port, '/blog')).location).toBe(`http://${host}/blog/`)
    await one.says(/redirects to its own host/)
    await ask(port, '/')
    expect(one.said().split('redirects to its own host')).toHaveLength(2)
    expect(one.said()).toContain('--origin-host-header visitor')
  })
})

describe('an error', () => {
  it.each([
    ['cut short', '{"keys": [', 'ROOM_KEYS is not JSON'],
    ['without a key that signs', '{"keys": []}', 'ROOM_KEYS must hold exactly one ticket key with state sign, got 0'],
  ])('with ROOM_KEYS %s is told once, with what to do, before anything starts', async (_what, ROOM_KEYS, words) => {
    const one = serve(['--port', String(await freePort()), '--storage', newStorage()], { more: { ROOM_KEYS } })
    expect(await one.ended()).toBe(1)
    expect(one.said().split(words)).toHaveLength(2)
    expect(one.said()).toContain('ROOM_KEYS comes from the environment.')
    expect(one.said()).toContain('(umask 077; npm run -s keys -- new > keys.json)')
    expect(one.said()).not.toContain('serving')
  })

  it('with a secret file that does not exist is reported', async () => {
    const more = { ROOM_KEYS: undefined, ROOM_KEYS_FILE: join(scratch, 'none') }
    const one = serve(['--port', String(await freePort()), '--storage', 'memory'], { more })
    expect(await one.ended()).toBe(1)
    expect(one.said()).toContain('ROOM_KEYS_FILE cannot be read')
  })
})

describe('secrets in files', () => {
  it('are read without the line break at their end', async () => {
    const files = { ROOM_KEYS_FILE: join(scratch, 'keys'), ADMIN_TOKEN_FILE: join(scratch, 'token') }
    writeFileSync(files.ROOM_KEYS_FILE, `${env.ROOM_KEYS}\n`)
    writeFileSync(files.ADMIN_TOKEN_FILE, `${env.ADMIN_TOKEN}\n`)
    const { port } = await served([], { more: { ROOM_KEYS: undefined, ADMIN_TOKEN: undefined, ...files } })
    const headers = { Authorization: `Bearer ${env.ADMIN_TOKEN}` }
    expect((await fetch(`http://localhost:${port}/.waiting-room/api/v1/rooms`, { headers })).status).toBe(200)
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
