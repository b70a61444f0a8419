import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { freePort } from '../../../tools/support/ports.ts'
import { groupOf, holdersOf, listens, start } from '../../support/node/commands.ts'
import { type Origin, startOrigin } from '../../support/node/served.ts'

let origin: Origin
let scratch: string

beforeAll(async () => {
  origin = await startOrigin((request, response) => response.end(request.headers.host))
  scratch = mkdtempSync(join(tmpdir(), 'antesala-start-'))
})

afterAll(async () => {
  await origin.stop()
  rmSync(scratch, { recursive: true, force: true })
})

const npmStart = (port: number, storage: string) =>
  start(['npm', 'start', '--', '--port', String(port), '--storage', storage, '--origin', origin.url])

describe('npm start', () => {
  it.each([
    ['npm', 'SIGTERM'],
    ['the command', 'SIGKILL'],
  ] as const)('leaves no process and no port when %s gets %s', async (who, signal) => {
    const [port, storage] = [await freePort(), join(scratch, signal)]
    const one = npmStart(port, storage)
    await one.says(/open to {5}this machine only/)
    const [command = 0, wrangler = 0] = holdersOf(storage)
    expect(groupOf(wrangler).length).toBeGreaterThan(1)
    // The origin is on this machine, so it receives the visitor's Host.
    expect(await (await fetch(`http://localhost:${port}/`)).text()).toBe(`localhost:${port}`)
    process.kill(who === 'npm' ? (one.process.pid ?? 0) : command, signal)
    await one.ended()
    const left = async () => ({ wrangler: groupOf(wrangler), listens: await listens(port) })
    await expect.poll(left, { timeout: 30_000 }).toEqual({ wrangler: [], listens: false })
    if (signal !== 'SIGKILL') expect(holdersOf(storage)).toEqual([])
  })

  it('is refused on a taken port and on a storage in use, with exit code 1', async () => {
    const [port, other, storage] = [await freePort(), await freePort(), join(scratch, 'taken')]
    const one = npmStart(port, storage)
    await one.says(/open to/)
    const onPort = npmStart(port, join(scratch, 'other'))
    const onStorage = npmStart(other, storage)
    expect([await onPort.ended(), await onStorage.ended()]).toEqual([1, 1])
    expect(onPort.said()).toMatch(
      new RegExp(`port ${port} is taken\\. Port (\\d+) is free:\\n\\n {2}npm start -- --port \\1 `),
    )
    expect(onStorage.said()).toContain(
      `is in use by process ${holdersOf(storage).join(' and ')} (npm start on port ${port}`,
    )
    expect(onPort.said() + onStorage.said()).not.toContain('dashboard')
    one.process.kill('SIGTERM')
    await one.ended()
  })
})
