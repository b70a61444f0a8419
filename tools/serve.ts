/** Serves the built Worker in plain workerd, without node in the request path. */
import { resolve } from 'node:path'
import { readAdminToken, readDeployment, readMetricsToken } from '../src/settings/deployment.ts'
import { SettingsError } from '../src/settings/messages.ts'
import { adviceOnTrustedHeader } from '../src/settings/trusted-header.ts'
import { startShop } from './demo/shop.ts'
import { ROOT, type WranglerConfig, wranglerConfig } from './support/build.ts'
import { address, type Given, number, run, UsageError } from './support/cli.ts'
import { roomsFile } from './support/rooms-file.ts'
import { developmentSecrets } from './support/secrets.ts'
import { startServe } from './support/workerd.ts'

const USAGE = `npm run serve -- [--port 8787] [--origin URL] [--rooms FILE.json] [--storage DIR|memory] [--admin-host HOST] [--trusted-ip-header NAME]
                 [--admin-token T] [--isolates N]

Serves the built Worker in plain workerd (builds first when there is no build). Without --origin, and when wrangler.toml names
none, it also starts the demo shop. SIGTERM ends it and everything it started; the same --storage brings everything back.
The secrets ROOM_KEYS and ADMIN_TOKEN come from the environment, else from .dev.vars, where they are made on the first run; METRICS_TOKEN comes from
the environment. Behind a proxy with TLS name the header in which it says the visitor's address: then the scheme is taken from X-Forwarded-Proto, and nobody
but the proxy may reach the port.`

const FLAGS = {
  port: { value: 'N', help: 'where to listen', default: '8787' },
  origin: { value: 'URL', help: 'where admitted requests go' },
  rooms: { value: 'FILE', help: 'a JSON array of rooms, instead of wrangler.toml' },
  storage: { value: 'DIR|memory', help: 'where the objects live', default: '.antesala/storage' },
  'admin-host': {
    value: 'HOST',
    help: 'the only host with the dashboard and the admin API; ADMIN_HOST of wrangler.toml, or every host (*), otherwise',
  },
  'trusted-ip-header': { value: 'NAME', help: 'behind a proxy: where it says the address; the connection otherwise' },
  'admin-token': { value: 'T', help: 'at least 32 characters; from ADMIN_TOKEN or .dev.vars otherwise' },
  isolates: { value: 'N', help: 'copies of the Worker over one set of objects', default: '1' },
}

await run(USAGE, FLAGS, main)

async function main(given: Given): Promise<number> {
  const port = number(given, 'port', 1, 65_535)
  const isolates = number(given, 'isolates', 1, 64)
  const { roomKeys, adminToken } = await secretsOf(given)
  const rooms = given.rooms === undefined ? undefined : roomsFile(given.rooms)
  const { vars } = wranglerConfig()
  const variables = variablesOf(given, vars)
  // Refused here, with all that is wrong, and not by each answer of the Worker.
  readAdminToken({ ADMIN_TOKEN: adminToken })
  readMetricsToken(variables)
  const { controlPrefix } = readDeployment({ ...vars, ...variables, ...(rooms === undefined ? {} : { ROOMS: rooms }) })
  const configured = vars.ORIGIN
  const named = address(given, 'origin') ?? (typeof configured === 'string' && configured !== '' ? configured : null)
  const shop = named === null ? await startShop({ port: 0 }) : null
  const storage = given.storage === 'memory' ? 'memory' : resolve(given.storage ?? '')
  const served = await startServe({
    port,
    origin: new URL(named ?? shop?.url ?? '').origin,
    ...(rooms === undefined ? {} : { rooms }),
    storage,
    roomKeys,
    adminToken,
    isolates,
    controlPrefix,
    behindProxy: given['trusted-ip-header'] !== undefined,
    variables,
  }).catch(async (error: unknown) => {
    await shop?.stop()
    throw error
  })
  console.log(`serving     ${served.url}/   (origin ${named ?? `${shop?.url}, the demo shop`})`)
  const admin = variables.ADMIN_HOST === '*' ? served.url : `//${variables.ADMIN_HOST}`
  console.log(`dashboard   ${admin}${controlPrefix}/admin/`)
  console.log(`admin API   ${admin}${controlPrefix}/api/v1/rooms`)
  const advice = adviceOnTrustedHeader(given['trusted-ip-header'] ?? null, 'elsewhere')
  if (advice !== null) console.log(`advice      --trusted-ip-header: ${advice}`)
  return new Promise(end => {
    const finish = (code: number) => {
      const stopped = Promise.all([served.stop(), shop?.stop()])
      void stopped.then(() => end(code))
    }
    process.once('SIGTERM', () => finish(0))
    process.once('SIGINT', () => finish(0))
    served.process.once('exit', code => finish(code ?? 1))
  })
}

/** Those of a development file only where they are not given: a server's checkout is not written to. */
async function secretsOf(given: Given): Promise<{ roomKeys: string; adminToken: string }> {
  const roomKeys = process.env.ROOM_KEYS
  const adminToken = tokenGiven(given) ?? process.env.ADMIN_TOKEN
  if (roomKeys !== undefined && adminToken !== undefined) return { roomKeys, adminToken }
  const { ROOM_KEYS, ADMIN_TOKEN } = await developmentSecrets(resolve(ROOT, '.dev.vars'))
  return { roomKeys: roomKeys ?? ROOM_KEYS, adminToken: adminToken ?? ADMIN_TOKEN }
}

function tokenGiven(given: Given): string | undefined {
  const token = given['admin-token']
  try {
    if (token === undefined || readAdminToken({ ADMIN_TOKEN: token }) !== null) return token
  } catch (error) {
    throw error instanceof SettingsError ? new UsageError(`--admin-token: ${error.message}`) : error
  }
  throw new UsageError('--admin-token must not be empty')
}

/** The Worker's variables that are different here: anything that is not on Cloudflare believes no header of Cloudflare's. */
function variablesOf(
  given: Given,
  { ADMIN_HOST }: WranglerConfig['vars'],
): Record<'ADMIN_HOST' | 'TRUSTED_IP_HEADER', string> & { METRICS_TOKEN?: string } {
  const { METRICS_TOKEN } = process.env
  return {
    ADMIN_HOST: given['admin-host'] ?? (typeof ADMIN_HOST === 'string' && ADMIN_HOST !== '' ? ADMIN_HOST : '*'),
    TRUSTED_IP_HEADER: given['trusted-ip-header'] ?? '',
    ...(METRICS_TOKEN === undefined ? {} : { METRICS_TOKEN }),
  }
}
