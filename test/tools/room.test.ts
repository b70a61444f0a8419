import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { runTool } from '../support/node/tool.ts'

const TOKEN = 'an-admin-token-of-thirty-two-chars'
const scratch = mkdtempSync(join(tmpdir(), 'antesala-'))
const tokenFile = join(scratch, 'token')
/** Requests in the order of their arrival. */
const asked: { method: string; path: string; ifMatch: string | undefined; body: string }[] = []

const figures = {
  ...{ active: 1_200, totalActiveUsers: 2_000, waiting: 311, admittedLastMinute: 590, effectiveRatePerMinute: 600 },
  ...{ waitMs: 212_000, open: false, held: false, health: { state: 'well' } },
}
const room = {
  ...{ name: 'shop', version: 'file.7', figures, events: [], now: '2026-11-27T09:00:01.000Z' },
  settings: { new_users_per_minute: 600, message: '', suspended: false, mode: 'enforce', queue_all: false },
  sources: {
    new_users_per_minute: 'file',
    message: 'default',
    suspended: 'default',
    mode: 'default',
    queue_all: 'default',
  },
}
const CHANGE = {
  version: '8',
  atMs: Date.parse('2026-11-27T09:00:00Z'),
  actor: 'ana',
  request: { set: { message: 'Soon' } },
}

/** Answers as the admin API does, with a room, its changes or a refusal. */
function answer(request: IncomingMessage, path: string, body: string): [status: number, body: unknown] {
  if (request.headers.authorization !== `Bearer ${TOKEN}`) return [401, { title: 'A valid token is required' }]
  if (path === '/rooms') return [200, { rooms: [room] }]
  if (path === '/rooms/shop/changes') return [200, { changes: [CHANGE] }]
  if (path !== '/rooms/shop') return [404, { title: 'No room is named that' }]
  if (request.method === 'GET') return [200, room]
  if (request.headers['if-match'] !== '"file.7"') return [412, { title: 'The room was changed meanwhile' }]
  const set = JSON.parse(body)
  const path422 = 'new_users_per_minute'
  if (set[path422] === -1) return [422, { problems: [{ path: path422, message: 'must be 0 or more, got -1' }] }]
  return [200, { ...room, version: 'file.8', settings: { ...room.settings, ...set } }]
}

const server = createServer((request, response) => {
  const chunks: Buffer[] = []
  request.on('data', chunk => chunks.push(chunk))
  request.on('end', () => {
    const path = (request.url ?? '').replace('/.waiting-room/api/v1', '')
    const body = Buffer.concat(chunks).toString()
    asked.push({ method: request.method ?? '', path, ifMatch: request.headers['if-match'], body })
    const [status, value] = answer(request, path, body)
    response.writeHead(status, { 'Content-Type': 'application/json' }).end(JSON.stringify(value))
  })
})

beforeAll(async () => {
  writeFileSync(tokenFile, `${TOKEN}\n`)
  await new Promise<void>(done => server.listen(0, '127.0.0.1', done))
})

afterAll(() => {
  server.close()
  rmSync(scratch, { recursive: true })
})

const run = (...args: string[]) => {
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`
  return runTool('tools/room.ts', '--url', url, '--token-file', tokenFile, ...args)
}

describe('room', () => {
  it('prints the state and the settings that are not defaults', async () => {
    const { status, stdout } = await run('get')
    expect(status).toBe(0)
    expect(stdout).toBe(
      '09:00:01 UTC  a line  inside 1,200/2,000  waiting 311  let in 590/600 a minute  wait 4 min  origin well\n' +
        'new_users_per_minute  600  (file)\n',
    )
  })

  it('changes settings by short names, but only while the room is unchanged since it was read', async () => {
    const { status, stdout } = await run('set', 'rate=500', 'message=Back at one.')
    expect([status, stdout]).toEqual([
      0,
      'new_users_per_minute: 600 -> 500\nmessage:  -> Back at one.\nversion file.8\n',
    ])
    const { method, path, ifMatch, body } = asked.at(-1) ?? {}
    expect([method, path, ifMatch]).toEqual(['PATCH', '/rooms/shop', '"file.7"'])
    expect(JSON.parse(body ?? '')).toEqual({ new_users_per_minute: 500, message: 'Back at one.' })
  })

  it('holds and releases the room', async () => {
    await run('hold')
    expect(asked.at(-1)?.body).toBe('{"queue_all":true}')
    await run('release')
    expect(asked.at(-1)?.body).toBe('{"queue_all":false}')
  })

  it('names the change of another operator that came first, and changes nothing', async () => {
    const { status, stderr } = await run('set', 'rate=500', '--if-version', 'file.6')
    expect(status).toBe(1)
    expect(stderr).toContain('The room was changed meanwhile. ana came first, at 2026-11-27T09:00:00Z: message = Soon.')
  })

  it('prints a line a second', async () => {
    const { status, stdout } = await run('watch', '--seconds', '2')
    expect([status, stdout.trimEnd().split('\n').length]).toEqual([0, 2])
  })

  it('prints JSON for programs', async () => {
    expect(JSON.parse((await run('get', '--json')).stdout)).toEqual(room)
  })

  it.each([
    [['set', 'rate=-1'], 1, 'new_users_per_minute must be 0 or more, got -1'],
    [['get', '--room', 'none'], 1, 'answered 404: No room is named that'],
    [['get', 'speed'], 2, 'there is no setting speed'],
    [['set', 'rate'], 2, 'a setting is set by NAME=VALUE, got rate'],
    [['wach'], 2, 'there is no verb wach: did you mean watch?'],
    [['get', '--token-file', '/nothing'], 2, '--token-file /nothing cannot be read'],
  ])('refuses %j with exit code %i', async (args, status, words) => {
    const answer = await run(...args)
    expect(answer.stderr).toContain(words)
    expect(answer.status).toBe(status)
  })

  it('never prints the token', async () => {
    const wrong = join(scratch, 'wrong')
    writeFileSync(wrong, 'another-token-of-thirty-two-characters')
    const { status, stdout, stderr } = await run('get', '--room', 'shop', '--token-file', wrong)
    expect(status).toBe(1)
    expect(stderr).toContain('answered 401: A valid token is required')
    expect(stdout + stderr).not.toContain('another-token')
  })
})
