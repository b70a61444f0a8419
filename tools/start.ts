/**
 * The Worker under wrangler with storage on disk, and a demo shop behind it: the first command that a newcomer runs.
 */
import { resolve } from 'node:path'
import { readDeployment } from '../src/settings/deployment.ts'
import { startBank } from './demo/bank.ts'
import { startShop } from './demo/shop.ts'
import { audience } from './serving/banner.ts'
import { HOST_FLAG, hostOf, needPort, urlOf, withCommand } from './serving/listen.ts'
import { lockStorage } from './serving/lock.ts'
import { hostHeaderOf, ORIGIN_FLAGS, originOf } from './serving/origin.ts'
import { checkSecrets } from './serving/secrets.ts'
import { QUIET_ENV, ROOT, WRANGLER, wranglerConfig } from './support/build.ts'
import { type Child, startChild } from './support/children.ts'
import { type Given, number, run } from './support/cli.ts'
import { askedToEnd } from './support/ending.ts'
import { roomsFile } from './support/rooms-file.ts'
import { developmentSecrets } from './support/secrets.ts'
import { wayTo } from './support/visitor-host.ts'

const USAGE = `npm start -- [FLAGS]

Runs the Worker under wrangler, with its storage on disk, in front of an origin. Without --origin, and when wrangler.toml
names none, it also starts the demo shop. Secrets for development are made in .dev.vars on the first run.`

const FLAGS = {
  port: { value: 'N', help: 'where to listen', default: '8787' },
  host: HOST_FLAG,
  ...ORIGIN_FLAGS,
  rooms: { value: 'FILE', help: 'a JSON array of rooms, instead of wrangler.toml' },
  storage: { value: 'DIR', help: 'where the objects live', default: '.wrangler/state' },
}

const READY_WITHIN_MS = 60_000
/** The time that wrangler needs to remove its files before it ends. */
const GRACE_MS = 3_000

await run(USAGE, FLAGS, main)

/** Checked options. The origin is null where the demo shop must be started. */
interface Checked {
  readonly host: string
  readonly port: number
  readonly origin: string | null
  /** Whether the origin must see the visitor's Host. */
  readonly seesVisitorHost: boolean
  readonly rooms: unknown
  readonly storage: string
  readonly controlPrefix: string
  readonly hasNewSecrets: boolean
}

async function main(given: Given): Promise<number> {
  const asked = askedToEnd()
  let wrangler: Child | null = null
  // Until wrangler runs, a request to end ends this process, and with it everything started so far.
  void asked.then(() => wrangler ?? process.exit(0))
  const options = await check(given)
  const { host, port, origin, controlPrefix, storage } = options
  const lock = await lockStorage(storage, `npm start on port ${port}`)
  try {
    await needPort(host, port)
    const bank = origin === null ? await startBank() : null
    const shop = bank ? await startShop({ port: 0, bankPort: bank.port }) : null
    const way = origin !== null && options.seesVisitorHost ? await wayTo(origin) : null
    wrangler = startWrangler(options, way?.url ?? origin ?? shop?.url ?? '')
    if (wrangler.process.pid !== undefined) lock.keepFor(wrangler.process.pid)
    const url = urlOf(host, port)
    const isReady = await Promise.race([
      untilAnswering(`${url}${controlPrefix}/healthz`),
      wrangler.ended.then(() => false),
      asked.then(() => false),
    ])
    if (isReady)
      announce(options, url, shop ? `the demo shop on ${shop.url}, with a bank on ${bank?.url}` : `${origin}`)
    else if (wrangler.process.exitCode === null)
      console.error(`nothing answers on ${url} after ${READY_WITHIN_MS / 1_000} s`)
    const code = isReady ? await Promise.race([asked.then(() => 0), wrangler.ended]) : 1
    await Promise.all([wrangler.stop(), way?.stop(), shop?.stop(), bank?.stop()])
    return code
  } catch (error) {
    throw withCommand(error, 'npm start --', process.argv.slice(2))
  } finally {
    lock.release()
  }
}

/** Throws before anything starts when an option, a setting or a secret is wrong. */
async function check(given: Given): Promise<Checked> {
  const port = number(given, 'port', 1, 65_535)
  const host = hostOf(given.host)
  const { vars } = wranglerConfig()
  const origin = originOf(given, vars)
  const seesVisitorHost = origin !== null && hostHeaderOf(given, vars, origin) === 'visitor'
  const rooms = given.rooms === undefined ? null : roomsFile(given.rooms)
  const changed = { ...(origin === null ? {} : { ORIGIN: origin }), ...(rooms === null ? {} : { ROOMS: rooms }) }
  const { controlPrefix } = readDeployment({ ...vars, ...changed, ADMIN_HOST: '*' })
  const { created, ROOM_KEYS, ADMIN_TOKEN } = await developmentSecrets(resolve(ROOT, '.dev.vars'))
  const from = '.dev.vars'
  await checkSecrets({ value: ROOM_KEYS, from }, { value: ADMIN_TOKEN, from }, {}, 'npm run -s keys --')
  const storage = resolve(given.storage ?? '')
  return { host, port, origin, seesVisitorHost, rooms, storage, controlPrefix, hasNewSecrets: created }
}

function startWrangler({ host, port, rooms, storage }: Checked, origin: string): Child {
  const { DEBUG = '' } = process.env
  const variables = {
    DEBUG,
    ORIGIN: origin,
    // Where the origin must see the visitor's Host, a proxy on this machine puts it back.
    ORIGIN_HOST_HEADER: 'origin',
    ADMIN_HOST: '*',
    // The local runtime has no jurisdictions.
    JURISDICTION: '',
    ...(rooms === null ? {} : { ROOMS: JSON.stringify(rooms) }),
  }
  // Wrangler hides the lines of traces on its quieter levels.
  const args = ['dev', '--ip', host, '--port', String(port), '--log-level', DEBUG === '' ? 'warn' : 'log']
  args.push('--show-interactive-dev-session=false', '--persist-to', storage)
  for (const [name, value] of Object.entries(variables)) args.push('--var', `${name}:${value}`)
  return startChild(process.execPath, [WRANGLER, ...args], {
    cwd: ROOT,
    env: QUIET_ENV,
    stdio: ['ignore', 'inherit', 'inherit'],
    graceMs: GRACE_MS,
  })
}

function announce({ host, controlPrefix, hasNewSecrets }: Checked, url: string, origin: string): void {
  console.log(`
  shop        ${url}/   (the origin is ${origin})
  dashboard   ${url}${controlPrefix}/admin/
  admin API   ${url}${controlPrefix}/api/v1/rooms
  token       ADMIN_TOKEN in ${hasNewSecrets ? 'the new ' : ''}.dev.vars
  open to     ${audience(host)}

  A crowd, in another terminal:   npm run crowd -- --url ${url}/ --visitors 300
`)
}

async function untilAnswering(url: string): Promise<boolean> {
  const endMs = Date.now() + READY_WITHIN_MS
  while (Date.now() < endMs) {
    const answered = await fetch(url, { signal: AbortSignal.timeout(2_000) }).then(
      response => response.ok,
      () => false,
    )
    if (answered) return true
    await new Promise(next => setTimeout(next, 200))
  }
  return false
}
