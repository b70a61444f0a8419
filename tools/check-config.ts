/** Validates a configuration before it is deployed: a whole `wrangler.toml`, or a rooms file. */
import { existsSync } from 'node:fs'
import { adviceOn } from '../src/settings/advice.ts'
import { type Deployment, readDeployment, type Variables } from '../src/settings/deployment.ts'
import { SettingsError } from '../src/settings/messages.ts'
import { parseRooms } from '../src/settings/rooms.ts'
import type { RoomConfig } from '../src/settings/schema.ts'
import { adviceOnTrustedHeader } from '../src/settings/trusted-header.ts'
import { adviceOnRoutes, bindingProblems, type Target } from './check-config/cloudflare.ts'
import { adviceOnTemplate } from './check-config/template.ts'
import { adviceOnVariables, misspelt } from './check-config/variables.ts'
import { callOf, type Given, isFolder, run } from './support/cli.ts'
import { readConfig, stepsOf } from './support/config-file.ts'
import { letBy } from './support/let-by.ts'
import { roomsFile } from './support/rooms-file.ts'

const USAGE = `${callOf('check-config')} [--config FILE | --rooms FILE]

Checks the rooms, variables, bindings and routes of a wrangler.toml or wrangler.jsonc with all of its environments, or a
rooms file (JSON). Each problem names the line, the path, the value and the range; exit code 1 when there is one. Advice
is printed and does not fail. Requests that pass without a place are listed, and presets are spelled out.`

const FLAGS = {
  config: { value: 'FILE', help: 'the configuration; wrangler.toml, .jsonc or .json otherwise' },
  rooms: { value: 'FILE', help: 'a rooms file instead' },
}

/** The names of configuration files, in the order in which they are tried. */
const CONFIGS = ['wrangler.toml', 'wrangler.jsonc', 'wrangler.json']
/** Cloudflare's published limit for a variable of a Worker. Elsewhere there is no such limit. */
const VARIABLE_BYTES_MAX = 5_000
/** The address that Cloudflare gives to requests that a Worker sends to another zone. */
const WORKERS_ADDRESS = '2a06:98c0:3600::103'

await run(USAGE, FLAGS, main)

async function main(given: Given): Promise<number> {
  const file = given.rooms ?? given.config ?? CONFIGS.find(name => existsSync(name)) ?? 'wrangler.toml'
  try {
    const checked =
      given.rooms === undefined ? checkConfig(file) : [{ at: '', rooms: parseRooms(roomsFile(file)), advice: [] }]
    for (const one of checked) print(one)
    const rooms = checked.reduce((sum, one) => sum + one.rooms.length, 0)
    console.log(`${file}: ${rooms === 1 ? '1 room' : `${rooms} rooms`}, no problem`)
    return 0
  } catch (error) {
    if (!(error instanceof SettingsError)) throw error
    for (const { path, message, line } of error.problems)
      console.error(`${file}${line === undefined ? '' : `:${line}`}: ${path} ${message}`)
    return 1
  }
}

/** The top of a file, or one of its environments. */
interface Checked {
  /** `env.staging: `, or empty for the top of the file. */
  readonly at: string
  readonly rooms: readonly RoomConfig[]
  readonly advice: readonly string[]
}

function print({ at, rooms, advice }: Checked): void {
  for (const [index, room] of rooms.entries())
    for (const line of letBy(room, `${at}rooms[${index}] (${room.name})`)) console.log(line)
  const pages = rooms.flatMap((room, index) =>
    [room, ...room.events].flatMap(({ custom_page_html }) =>
      adviceOnTemplate(custom_page_html ?? '').map(text => `rooms[${index}] (${room.name}): custom_page_html: ${text}`),
    ),
  )
  for (const text of [...advice, ...adviceOn(rooms, Date.now()), ...pages]) console.log(`advice: ${at}${text}`)
}

/** Checks the top of a file, and each of its environments. Throws SettingsError with the problems of all. */
function checkConfig(file: string): readonly Checked[] {
  const { content, lineOf } = readConfig(file)
  const whole = Object(content) as Target & { readonly env?: Readonly<Record<string, Target>> }
  const environments = Object.entries(whole.env ?? {}).map(([name, target]) => ({ at: `env.${name}.`, target }))
  // If only the environments have rooms, the top of the file is not checked.
  const hasTop = environments.length === 0 || Object.hasOwn(Object(whole.vars), 'ROOMS')
  const problems: SettingsError['problems'][number][] = []
  const checked: Checked[] = []
  for (const { at, target } of [...(hasTop ? [{ at: '', target: whole }] : []), ...environments]) {
    try {
      checked.push(checkTarget(target, whole, at))
    } catch (error) {
      if (!(error instanceof SettingsError)) throw error
      problems.push(...error.problems)
    }
  }
  if (problems.length === 0) return checked
  throw new SettingsError(problems).at(path => {
    const [, at = '', rest = path] = /^(env\.[^.]+\.)(.*)$/.exec(path) ?? []
    const inVars = lineOf([...stepsOf(at), 'vars', ...stepsOf(rest)])
    const steps = stepsOf(path)
    return steps[0] === 'migrations' || rest.startsWith('durable_objects') ? lineOf(steps) : inVars
  })
}

function checkTarget(target: Target, whole: Target, at: string): Checked {
  const vars = Object(target.vars) as Variables & Readonly<Record<string, unknown>>
  const problems = [...misspelt(vars)]
  if (at !== '' && target.vars === undefined)
    problems.push({
      path: 'vars',
      message: 'must be given: an environment does not inherit variables, so it has no rooms',
    })
  let deployment: Deployment | null = null
  try {
    if (problems.length === 0 || target.vars !== undefined) deployment = readDeployment(vars)
  } catch (error) {
    if (!(error instanceof SettingsError)) throw error
    problems.push(...error.problems)
  }
  // The rest is about Cloudflare, and a built folder serves elsewhere. A file without `main` deploys no Worker.
  const isWorker = !isFolder() && whole.main !== undefined
  const own = problems.map(problem => ({ ...problem, path: at + problem.path }))
  const all = [...own, ...(isWorker ? bindingProblems(target, whole, at) : [])]
  if (!deployment || all.length > 0) throw new SettingsError(all)
  const advice = isFolder() ? [] : [...adviceForCloudflare(deployment, vars), ...adviceOnRoutes(target, deployment)]
  if (deployment.rooms.length === 0)
    advice.push('ROOMS is empty: every request reaches the origin, and no visitor waits')
  if (isWorker && deployment.adminHost === null)
    advice.push('ADMIN_HOST is empty: there is no dashboard, no admin API and no metrics')
  return {
    at: at === '' ? '' : `${at.slice(0, -1)}: `,
    rooms: deployment.rooms,
    advice: [...advice, ...adviceOnVariables(vars)],
  }
}

function adviceForCloudflare(deployment: Deployment, vars: Variables): string[] {
  const { origin, originHostHeader, originAddresses, trustedIpHeader } = deployment
  const advice: string[] = []
  const onHeader = adviceOnTrustedHeader(trustedIpHeader, 'cloudflare')
  if (onHeader !== null) advice.push(`TRUSTED_IP_HEADER: ${onHeader}`)
  if (origin !== null && originHostHeader === 'visitor')
    advice.push(
      'ORIGIN_HOST_HEADER = "visitor": on Cloudflare such requests go to the origin of the zone, and ORIGIN is not used',
    )
  if (originAddresses.has(WORKERS_ADDRESS))
    advice.push(
      `ORIGIN_ADDRESSES: requests from the Workers of all other zones have the address ${WORKERS_ADDRESS}, and pass without a place`,
    )
  const bytes = new TextEncoder().encode(JSON.stringify(vars.ROOMS)).length
  if (bytes > VARIABLE_BYTES_MAX) {
    const size = `${bytes.toLocaleString('en')} bytes as JSON, and Cloudflare takes 5 KB for a variable`
    advice.push(`ROOMS: ${size}. Set custom_page_html, or what else is long, by the admin API`)
  }
  return advice
}
