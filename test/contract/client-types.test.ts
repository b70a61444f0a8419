/** The types of the script for sites, as an app in TypeScript gets them from the edge and compiles with them. */
import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { ROOT } from '../../tools/support/build.ts'
import { type Local, serveLocally, startRooms } from '../browser/served-site.ts'

const OPTIONS = { strict: true, exactOptionalPropertyTypes: true, noEmit: true, skipLibCheck: false }
const COMPILER_OPTIONS = {
  ...OPTIONS,
  module: 'esnext',
  moduleResolution: 'bundler',
  lib: ['es2022', 'dom'],
  types: [],
}

let origin: Local
let site: Awaited<ReturnType<typeof startRooms>>
let app: string

beforeAll(async () => {
  origin = await serveLocally((_request, _body, response) => response.end())
  site = await startRooms({ shop: {} }, origin.port)
  app = mkdtempSync(join(tmpdir(), 'antesala-types-'))
})
afterAll(async () => {
  rmSync(app, { recursive: true, force: true })
  await site?.stop()
  await origin?.stop()
})

/** Compiles a program with the types of an address. Returns the errors of the compiler. */
async function compile(program: string, query = '?room=shop', more: object = {}): Promise<string> {
  const types = await (await fetch(`${site.url}/.waiting-room/client.d.ts${query}`)).text()
  writeFileSync(join(app, 'waiting-room.d.ts'), types)
  writeFileSync(join(app, 'app.ts'), program)
  const compilerOptions = { ...COMPILER_OPTIONS, ...more }
  writeFileSync(join(app, 'tsconfig.json'), JSON.stringify({ compilerOptions, include: ['*.ts'] }))
  try {
    return execFileSync(process.execPath, [join(ROOT, 'node_modules/typescript/bin/tsc'), '-p', app], {
      encoding: 'utf8',
    })
  } catch (error) {
    return (error as { stdout: string }).stdout
  }
}

it('an app with the script and with the module compiles, and its mistakes do not', async () => {
  const program = `
    import { guard } from '/.waiting-room/client.mjs?room=shop'
    // @ts-expect-error the types are those of one room
    import { guard as other } from '/.waiting-room/client.mjs?room=other'
    const room: WaitingRoom.Guard = guard({ wait: 'page', warnSeconds: 0 })
    const kept: Promise<boolean> = room.extend()
    const referrer: string = window.waitingRoom?.referrer ?? document.referrer
    // @ts-expect-error the script may not have been loaded
    waitingRoom.extend()
    // @ts-expect-error there is no such way to wait
    guard({ wait: 'later' })
    export { kept, other, referrer }`
  expect(await compile(program)).toBe('')
})

it('a site with one room may leave out its name', async () => {
  const program = "import { guard } from '/.waiting-room/client.mjs'\nguard()"
  expect(await compile(program, '')).toBe('')
  expect(await compile(program)).toContain('TS2307')
})

it('the types are those of the code', async () => {
  const program = `
    import { guard } from '/.waiting-room/client.mjs?room=shop'
    import { start } from '${join(ROOT, 'static/client.js')}'
    type Code = Parameters<typeof start>[1]
    const made: WaitingRoom.Guard = start({} as never, {})
    const back: ReturnType<typeof start> = guard()
    const options: Required<Code> = {} as Required<WaitingRoom.Options>
    const served: Required<WaitingRoom.Options> = {} as Required<Code>
    export { back, made, options, served }`
  expect(await compile(program, '?room=shop', { allowJs: true, lib: ['es2024', 'dom', 'dom.iterable'] })).toBe('')
})
