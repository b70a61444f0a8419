/** The command that serves. It is the same in a checkout (`npm run serve`) and in a built folder (`antesala serve`). */
import { resolve } from 'node:path'
import { readReceivers } from '../../src/settings/admin/receivers.ts'
import { readDeployment } from '../../src/settings/deployment.ts'
import { type Command, callOf, type Given, number, UsageError } from '../support/cli.ts'
import { varsOf } from '../support/config-file.ts'
import { askedToEnd } from '../support/ending.ts'
import { roomsFile } from '../support/rooms-file.ts'
import { announce } from './banner.ts'
import type { Bundle } from './bundle.ts'
import { HOST_FLAG, hostOf, withCommand } from './listen.ts'
import type { ServeOptions } from './options.ts'
import { hostHeaderOf, ORIGIN_FLAGS, originOf } from './origin.ts'
import { ADMIN_TOKEN_FLAG, adminTokenGiven, checkSecrets, optionalSecrets, type Secret, secretOf } from './secrets.ts'
import { type Served, startWorkerd } from './workerd.ts'

/** The differences between a checkout and a built folder. */
export interface Program {
  /** The arguments of the command. */
  readonly args: readonly string[]
  readonly about: string
  /** A command that prints new keys when `new` is added. */
  readonly keysCommand: string
  bundle(): Promise<Bundle>
  /** The variables to use when `--config` names no file. */
  vars(): Vars
  /** Makes a secret that the environment does not contain. Throws where the secret cannot be made. */
  missing(name: 'ROOM_KEYS' | 'ADMIN_TOKEN'): Promise<Secret>
  /** Starts an origin when the command names none; null where there is no demo to start. */
  readonly demo: (() => Promise<Demo>) | null
}

type Vars = Readonly<Record<string, unknown>>

interface Demo {
  readonly url: string
  stop(): Promise<void>
}

/** Checked options. The origin is null where the demo must be started. */
interface Checked extends Omit<ServeOptions, 'origin'> {
  readonly origin: string | null
  readonly vars: Vars
  readonly controlPrefix: string
  readonly variables: Readonly<Record<string, string>> & {
    readonly ADMIN_HOST: string
    readonly TRUSTED_IP_HEADER: string
  }
}

const FLAGS = {
  port: { value: 'N', help: 'where to listen', default: '8787' },
  host: HOST_FLAG,
  ...ORIGIN_FLAGS,
  config: { value: 'FILE', help: 'variables and rooms, as in wrangler.toml' },
  rooms: { value: 'FILE', help: 'a JSON array of rooms, instead of those of the configuration' },
  storage: { value: 'DIR|memory', help: 'where the objects live', default: '.antesala/storage' },
  'admin-host': {
    value: 'HOST',
    help: 'the only host with the dashboard and the admin API; ADMIN_HOST, or every host (*), otherwise',
  },
  'trusted-ip-header': {
    value: 'NAME',
    help: 'the header with the address, behind a proxy; else that of the connection',
  },
  'admin-token': ADMIN_TOKEN_FLAG,
  isolates: { value: 'N', help: 'copies of the Worker over one set of objects', default: '1' },
}

export function serveCommand(program: Program): Command {
  return { usage: `${callOf('serve')} [FLAGS]\n\n${program.about}`, flags: FLAGS, main: given => main(program, given) }
}

async function main(program: Program, given: Given): Promise<number> {
  const asked = askedToEnd()
  let served: Served | null = null
  // If a request to end comes before the server runs, this process ends, and its child processes end with it.
  void asked.then(() => served ?? process.exit(0))
  const options = await check(program, given)
  const bundle = { ...(await program.bundle()), vars: options.vars }
  const demo = options.origin === null && program.demo ? await program.demo() : null
  const origin = options.origin ?? demo?.url ?? ''
  try {
    served = await startWorkerd(bundle, { ...options, origin })
  } catch (error) {
    await demo?.stop()
    throw withCommand(error, callOf('serve'), program.args)
  }
  await announce(served, options, demo ? `${origin}, the demo shop` : origin)
  const code = await Promise.race([asked.then(() => 0), served.ended])
  await Promise.all([served.stop(), demo?.stop()])
  return code
}

/** Throws before anything starts when an option, a setting or a secret is wrong. */
async function check(program: Program, given: Given): Promise<Checked> {
  const { host: hostFlag, rooms: file, storage } = given
  const listen = { port: number(given, 'port', 1, 65_535), host: hostOf(hostFlag) }
  const isolates = number(given, 'isolates', 1, 64)
  const vars = given.config === undefined ? program.vars() : varsOf(given.config)
  const origin = originOf(given, vars)
  const rooms = file === undefined ? {} : { rooms: roomsFile(file) }
  const { roomKeys, adminToken, optional } = await secrets(program, given, vars)
  const variables = {
    ADMIN_HOST:
      given['admin-host'] ?? (typeof vars.ADMIN_HOST === 'string' && vars.ADMIN_HOST !== '' ? vars.ADMIN_HOST : '*'),
    // Outside Cloudflare any visitor can forge Cloudflare's headers, so they are not trusted.
    TRUSTED_IP_HEADER: given['trusted-ip-header'] ?? '',
    ...(origin === null ? {} : { ORIGIN_HOST_HEADER: hostHeaderOf(given, vars, origin) }),
    ...optional,
  }
  const named = origin === null ? {} : { ORIGIN: origin }
  const { controlPrefix } = readDeployment({
    ...vars,
    ...variables,
    ...named,
    ...('rooms' in rooms ? { ROOMS: rooms.rooms } : {}),
  })
  if (origin === null && program.demo === null)
    throw new UsageError('--origin must be the address where admitted requests go')
  return {
    ...listen,
    ...rooms,
    isolates,
    origin,
    vars,
    variables,
    controlPrefix,
    storage: storage === 'memory' ? 'memory' : resolve(storage ?? ''),
    roomKeys: roomKeys.value,
    adminToken: adminToken.value,
    behindProxy: given['trusted-ip-header'] !== undefined,
  }
}

async function secrets(program: Program, given: Given, vars: Vars) {
  const named = adminTokenGiven(given)
  const roomKeys = secretOf('ROOM_KEYS') ?? (await program.missing('ROOM_KEYS'))
  const adminToken = named ?? secretOf('ADMIN_TOKEN') ?? (await program.missing('ADMIN_TOKEN'))
  const optional = optionalSecrets()
  readReceivers({ ...optional, ALERT_PRIVATE_RECEIVERS: String(vars.ALERT_PRIVATE_RECEIVERS ?? '') })
  await checkSecrets(roomKeys, adminToken, optional, program.keysCommand)
  return { roomKeys, adminToken, optional }
}
