/** The Worker under wrangler with storage on disk, and a demo shop behind it: the first thing a newcomer runs. */
import { spawn } from 'node:child_process'
import { join, resolve } from 'node:path'
import { readDeployment } from '../src/settings/deployment.ts'
import { startShop } from './demo/shop.ts'
import { QUIET_ENV, ROOT, WRANGLER, wranglerConfig } from './support/build.ts'
import { address, type Given, number, run } from './support/cli.ts'
import { roomsFile } from './support/rooms-file.ts'
import { developmentSecrets } from './support/secrets.ts'

const USAGE = `npm start -- [--port 8787] [--origin URL] [--rooms FILE.json]

Runs the Worker under wrangler, with its storage on disk, in front of an origin. Without --origin, and when wrangler.toml
names none, it also starts the demo shop. Secrets for development are made in .dev.vars on the first run.`

const FLAGS = {
  port: { value: 'N', help: 'where to listen', default: '8787' },
  origin: { value: 'URL', help: 'where admitted requests go' },
  rooms: { value: 'FILE', help: 'a JSON array of rooms, instead of wrangler.toml' },
}

const READY_WITHIN_MS = 60_000

await run(USAGE, FLAGS, main)

async function main(given: Given): Promise<number> {
  const port = number(given, 'port', 1, 65_535)
  const rooms = given.rooms === undefined ? null : roomsFile(given.rooms)
  const { vars } = wranglerConfig()
  // Refused here, with all that is wrong, and not by each answer of the Worker.
  const { controlPrefix } = readDeployment({ ...vars, ADMIN_HOST: '*', ...(rooms === null ? {} : { ROOMS: rooms }) })
  const configured = vars.ORIGIN
  const named = address(given, 'origin') ?? (typeof configured === 'string' && configured !== '' ? configured : null)
  const secretsFile = resolve(ROOT, '.dev.vars')
  const { created } = await developmentSecrets(secretsFile)
  const shop = named === null ? await startShop({ port: 0 }) : null
  const origin = new URL(named ?? shop?.url ?? '').origin

  const variables = [`ORIGIN:${origin}`, 'ADMIN_HOST:*', ...(rooms === null ? [] : [`ROOMS:${JSON.stringify(rooms)}`])]
  const args = ['dev', '--port', String(port), '--log-level', 'warn', '--show-interactive-dev-session=false']
  args.push('--persist-to', join(ROOT, '.wrangler/state'), ...variables.flatMap(variable => ['--var', variable]))
  const wrangler = spawn(process.execPath, [WRANGLER, ...args], {
    cwd: ROOT,
    env: QUIET_ENV,
    stdio: ['ignore', 'inherit', 'inherit'],
  })
  const ended = new Promise<number>(end => wrangler.once('exit', code => end(code ?? 0)))
  const stop = () => wrangler.kill('SIGTERM')
  process.once('SIGINT', stop)
  process.once('SIGTERM', stop)

  const url = `http://localhost:${port}`
  const ready = await Promise.race([untilAnswering(`${url}${controlPrefix}/healthz`), ended.then(() => false)])
  if (ready) {
    console.log(`
  shop        ${url}/   (the origin is ${shop ? `the demo shop on ${origin}` : origin})
  dashboard   ${url}${controlPrefix}/admin/
  admin API   ${url}${controlPrefix}/api/v1/rooms
  token       ADMIN_TOKEN in ${created ? 'the new ' : ''}.dev.vars

  A crowd, in another terminal:   npm run crowd -- --url ${url}/ --visitors 300
`)
  } else if (wrangler.exitCode === null) {
    console.error(`nothing answers on ${url} after ${READY_WITHIN_MS / 1_000} s`)
    stop()
  }
  const code = await ended
  await shop?.stop()
  return ready ? 0 : code || 1
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
