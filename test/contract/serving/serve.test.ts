/** A server's use of its storage, its port, its origin and its secrets. */
import { mkdirSync, readdirSync, utimesSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { networkInterfaces } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { freePort } from '../../../tools/support/ports.ts'
import { machine } from '../../../tools/testing/processes.ts'
import { holdersOf, listens } from '../../support/node/commands.ts'
import { env, newStorage, origin, scratch, serve, served, useServers } from './servers.ts'

useServers()

describe('a page in a file beside the rooms', () => {
  it('is shown to visitors in line', async () => {
    const room = { name: 'shop', host: '*', total_active_users: 20, new_users_per_minute: 0 }
    mkdirSync(join(scratch, 'own', 'pages'), { recursive: true })
    writeFileSync(join(scratch, 'own', 'pages', 'wait.html'), '<h1>Welcome to the line of {{site}}</h1>')
    writeFileSync(
      join(scratch, 'own', 'rooms.json'),
      JSON.stringify([{ ...room, custom_page_file: 'pages/wait.html' }]),
    )
    const { port } = await served(['--rooms', join(scratch, 'own', 'rooms.json')])
    const answer = await fetch(`http://127.0.0.1:${port}/`, { headers: { Accept: 'text/html' } })
    expect([answer.status, await answer.text()]).toEqual([503, `<h1>Welcome to the line of 127.0.0.1:${port}</h1>`])
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
    expect(open.one.said()).toContain('open to     all who can reach this machine')
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
  ])('with ROOM_KEYS %s is printed once, with the remedy, before anything starts', async (_what, ROOM_KEYS, words) => {
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
