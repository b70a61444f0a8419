import { spawnSync } from 'node:child_process'
import { cpSync, mkdtempSync, readdirSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { newKeys } from '../../../src/tokens/rotation.ts'
import { freePort } from '../../../tools/support/ports.ts'
import { pause, Visitor } from '../../support/node/browser-like.ts'
import { groupOf, holdersOf, type Running, start } from '../../support/node/commands.ts'
import { type Origin, startOrigin } from '../../support/node/served.ts'

const ADMIN_TOKEN = 'an-admin-token-for-process-tests-only'

let origin: Origin
let scratch: string
let folder: string

beforeAll(async () => {
  origin = await startOrigin((request, response) =>
    response.end(`inside as ${request.headers['waiting-room-session']}`),
  )
  scratch = mkdtempSync(join(tmpdir(), 'antesala-dist-'))
  const made = join(scratch, 'made')
  const { status, stderr } = spawnSync(process.execPath, ['tools/build.ts', '--out', made], { encoding: 'utf8' })
  expect(stderr).toBe('')
  expect(status).toBe(0)
  // The folder must not depend on where it was made.
  folder = join(scratch, 'antesala 1')
  renameSync(made, folder)
  writeFileSync(
    join(scratch, 'antesala.toml'),
    `[vars]
ORIGIN = "${origin.url}"
[[vars.ROOMS]]
name = "shop"
host = "*"
total_active_users = 3
new_users_per_minute = 60000
session_duration = 10
`,
  )
  writeFileSync(join(scratch, 'keys.json'), JSON.stringify({ keys: await newKeys('a') }))
  writeFileSync(join(scratch, 'admin.token'), `${ADMIN_TOKEN}\n`)
}, 120_000)

afterAll(async () => {
  await origin.stop()
  rmSync(scratch, { recursive: true, force: true })
})

/** Runs with only what a bare server has: no variable of this checkout, and another working directory. */
function antesala(from: string, ...args: string[]) {
  const env = { PATH: '/usr/bin:/bin', HOME: scratch }
  return spawnSync(process.execPath, [join(from, 'antesala'), ...args], { cwd: scratch, env, encoding: 'utf8' })
}

async function serve(from: string, storage: string): Promise<{ running: Running; url: string }> {
  const port = await freePort()
  const command = [process.execPath, join(from, 'antesala'), 'serve', '--port', String(port), '--storage', storage]
  const running = start([...command, '--config', join(scratch, 'antesala.toml')], {
    ROOM_KEYS_FILE: join(scratch, 'keys.json'),
    ADMIN_TOKEN_FILE: join(scratch, 'admin.token'),
    npm_lifecycle_event: undefined,
  })
  await running.says(/open to/)
  return { running, url: `http://localhost:${port}` }
}

/** The same visitor, with the same cookies, at another address. */
function at(url: string, visitor: Visitor): Visitor {
  const again = new Visitor(url, 'shop')
  again.cookie = visitor.cookie
  return again
}

describe('the folder that npm run build makes', () => {
  it('has all it needs, and prints what it can do', () => {
    expect(readdirSync(folder).sort()).toEqual(
      ['LICENSE', 'antesala', 'antesala.json', 'launcher.mjs', 'package.json', 'worker', 'workerd'].sort(),
    )
    expect(statSync(join(folder, 'antesala')).mode & 0o111).not.toBe(0)
    expect(antesala(folder, '--help')).toMatchObject({ status: 0, stdout: expect.stringContaining('antesala serve|') })
    expect(antesala(folder, '--version').stdout).toMatch(/^\d+\.\d+\.\d+\n$/)
    for (const command of ['serve', 'keys', 'check-config']) {
      const { status, stdout } = antesala(folder, command, '--help')
      expect([status, stdout]).toEqual([0, expect.stringContaining(`antesala ${command}`)])
    }
    expect(antesala(folder, 'melt')).toMatchObject({ status: 2, stderr: expect.stringContaining('no command melt') })
  })

  it('makes keys and checks a configuration', () => {
    const { status, stdout } = antesala(folder, 'keys', 'new')
    expect(status).toBe(0)
    expect((JSON.parse(stdout) as { keys: unknown[] }).keys).toHaveLength(2)
    const checked = antesala(folder, 'check-config', '--config', 'antesala.toml')
    expect(checked).toMatchObject({ status: 0, stdout: expect.stringContaining('antesala.toml: 1 room, no problem') })
    // This folder serves without Cloudflare, so the checks for Cloudflare do not apply.
    expect(checked.stdout).not.toContain('Cloudflare')
  })

  it('reports what is missing, and how to get it', () => {
    const secrets = antesala(folder, 'serve', '--config', 'antesala.toml')
    expect(secrets).toMatchObject({ status: 1, stderr: expect.stringContaining('ROOM_KEYS is not set') })
    expect(secrets.stderr).toContain('antesala keys new > keys.json')
    const bare = join(scratch, 'bare')
    cpSync(folder, bare, { recursive: true, filter: name => !name.endsWith('/workerd') })
    const env = { ROOM_KEYS_FILE: 'keys.json', ADMIN_TOKEN_FILE: 'admin.token' }
    const args = [join(bare, 'antesala'), 'serve', '--config', 'antesala.toml']
    const { status, stderr } = spawnSync(process.execPath, args, { cwd: scratch, env, encoding: 'utf8' })
    expect(status).toBe(1)
    expect(stderr).toMatch(/this folder has no runtime: npm install --prefix \S+ workerd@1\.\d+\.\d+/)
  })
})

describe('a backup', () => {
  it.each([
    ['that was copied after an orderly stop', 'SIGTERM'],
    ['of the moment in which everything was killed', 'SIGKILL'],
  ] as const)('%s has every session and every place, also for a newer folder', async (_what, signal) => {
    const storage = join(scratch, `storage-${signal}`)
    const first = await serve(folder, storage)
    const inside = Array.from({ length: 3 }, () => new Visitor(first.url, 'shop'))
    for (const visitor of inside) {
      await visitor.get('/')
      await visitor.get('/')
    }
    const line = Array.from({ length: 10 }, () => new Visitor(first.url, 'shop'))
    for (const visitor of line) await visitor.get('/')
    await pause(2_500)
    for (const visitor of line) await visitor.poll()
    const sids = inside.map(({ claims }) => claims.sub)
    const keys = line.map(({ claims }) => claims.key)
    // The counts of the doors reach the room within two reports.
    await expect.poll(() => confirmed(first.url), { timeout: 10_000 }).toBe(10)
    const [server = 0, runtime = 0] = holdersOf(storage)
    for (const pid of signal === 'SIGKILL' ? [runtime, server] : [server]) process.kill(pid, signal)
    await first.running.ended()
    await expect.poll(() => groupOf(runtime), { timeout: 10_000 }).toEqual([])

    const backup = join(scratch, `backup-${signal}`)
    cpSync(storage, backup, { recursive: true })
    rmSync(storage, { recursive: true })
    const upgraded = join(scratch, `antesala-${signal}`)
    cpSync(folder, upgraded, { recursive: true })
    const second = await serve(upgraded, backup)
    const insideAgain = inside.map(visitor => at(second.url, visitor))
    for (const [index, visitor] of insideAgain.entries())
      expect((await visitor.get('/')).text).toBe(`inside as ${sids[index]}`)
    const lineAgain = line.map(visitor => at(second.url, visitor))
    for (const visitor of lineAgain) expect(['waiting', 'called']).toContain((await visitor.poll())?.state)
    expect(lineAgain.map(({ claims }) => claims.key)).toEqual(keys)
    expect(await confirmed(second.url)).toBe(10)
    second.running.process.kill('SIGTERM')
    expect(await second.running.ended()).toBe(0)
  })
})

async function confirmed(url: string): Promise<number> {
  const headers = { Authorization: `Bearer ${ADMIN_TOKEN}` }
  const response = await fetch(`${url}/.waiting-room/api/v1/rooms/shop`, { headers })
  const { figures } = (await response.json()) as { figures: { totals: { confirmed?: number } } }
  return figures.totals.confirmed ?? 0
}
