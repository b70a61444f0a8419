/** Serves the built Worker in plain workerd, without node in the request path. */
import { resolve } from 'node:path'
import { startShop } from './demo/shop.ts'
import { ROOT, wranglerConfig } from './support/build.ts'
import { address, type Given, number, run, UsageError } from './support/cli.ts'
import { roomsFile } from './support/rooms-file.ts'
import { developmentSecrets } from './support/secrets.ts'
import { startServe } from './support/workerd.ts'

const USAGE = `npm run serve -- [--port 8787] [--origin URL] [--rooms FILE.json] [--storage DIR|memory] [--admin-token T] [--isolates N]

Serves the built Worker in plain workerd (builds first when there is no build). Without --origin, and when wrangler.toml names
none, it also starts the demo shop. SIGTERM ends it and everything it started; the same --storage brings everything back.
The secret ROOM_KEYS comes from the environment, else from .dev.vars, where it is made on the first run.`

const FLAGS = {
  port: { value: 'N', help: 'where to listen', default: '8787' },
  origin: { value: 'URL', help: 'where admitted requests go' },
  rooms: { value: 'FILE', help: 'a JSON array of rooms, instead of wrangler.toml' },
  storage: { value: 'DIR|memory', help: 'where the objects live', default: '.antesala/storage' },
  'admin-token': { value: 'T', help: 'at least 32 characters; from ADMIN_TOKEN or .dev.vars otherwise' },
  isolates: { value: 'N', help: 'copies of the Worker over one set of objects', default: '1' },
}

const TOKEN_MIN = 32

await run(USAGE, FLAGS, main)

async function main(given: Given): Promise<number> {
  const port = number(given, 'port', 1, 65_535)
  const isolates = number(given, 'isolates', 1, 64)
  const secrets = await developmentSecrets(resolve(ROOT, '.dev.vars'))
  const adminToken = given['admin-token'] ?? process.env.ADMIN_TOKEN ?? secrets.ADMIN_TOKEN
  if (adminToken.length < TOKEN_MIN) {
    throw new UsageError(`--admin-token must have at least ${TOKEN_MIN} characters, got ${adminToken.length}`)
  }
  const rooms = given.rooms === undefined ? undefined : roomsFile(given.rooms)
  const configured = wranglerConfig().vars.ORIGIN
  const named = address(given, 'origin') ?? (typeof configured === 'string' && configured !== '' ? configured : null)
  const shop = named === null ? await startShop({ port: 0 }) : null
  const storage = given.storage === 'memory' ? 'memory' : resolve(given.storage ?? '')
  const served = await startServe({
    port,
    origin: new URL(named ?? shop?.url ?? '').origin,
    ...(rooms === undefined ? {} : { rooms }),
    storage,
    roomKeys: process.env.ROOM_KEYS ?? secrets.ROOM_KEYS,
    adminToken,
    isolates,
  }).catch(async (error: unknown) => {
    await shop?.stop()
    throw error
  })
  console.log(`serving     ${served.url}/   (origin ${named ?? `${shop?.url}, the demo shop`})`)
  console.log(`dashboard   ${served.url}/.waiting-room/admin/`)
  console.log(`admin API   ${served.url}/.waiting-room/api/v1/rooms`)
  return new Promise(end => {
    const finish = (code: number) => {
      const stopped = Promise.all([served.stop(), shop?.stop()])
      void stopped.then(() => end(code))
    }
    process.once('SIGTERM', () => finish(0))
    process.once('SIGINT', () => finish(0))
    served.process.once('exit', code => finish(code ?? 0))
  })
}
