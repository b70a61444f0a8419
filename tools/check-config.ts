/** Validates a configuration before it is deployed: a whole `wrangler.toml`, or a rooms file. */
import { adviceOn } from '../src/settings/advice.ts'
import { type Deployment, readDeployment, type Variables } from '../src/settings/deployment.ts'
import { SettingsError } from '../src/settings/messages.ts'
import { parseRooms } from '../src/settings/rooms.ts'
import type { RoomConfig } from '../src/settings/schema.ts'
import { adviceOnTrustedHeader } from '../src/settings/trusted-header.ts'
import { callOf, type Given, isFolder, run } from './support/cli.ts'
import { varsOf } from './support/config-file.ts'
import { letBy } from './support/let-by.ts'
import { roomsFile } from './support/rooms-file.ts'

const USAGE = `${callOf('check-config')} [--config FILE | --rooms FILE]

Checks the rooms and variables of wrangler.toml, or a rooms file (a JSON array). Each problem names the path, the value
and the range; exit code 1 when there is one. Advice is printed and does not fail. Requests that pass
without a place are listed, and presets are spelled out.`

const FLAGS = {
  config: { value: 'FILE', help: 'the configuration', default: 'wrangler.toml' },
  rooms: { value: 'FILE', help: 'a rooms file instead' },
}

/** Cloudflare's published limit for a variable of a Worker. Elsewhere there is no such limit. */
const VARIABLE_BYTES_MAX = 5_000
/** The address that Cloudflare gives to requests that a Worker sends to another zone. */
const WORKERS_ADDRESS = '2a06:98c0:3600::103'

await run(USAGE, FLAGS, main)

async function main(given: Given): Promise<number> {
  const file = given.rooms ?? given.config ?? 'wrangler.toml'
  try {
    const rooms = given.rooms === undefined ? roomsOfConfig(file) : parseRooms(roomsFile(file))
    for (const [index, room] of rooms.entries())
      for (const line of letBy(room, `rooms[${index}] (${room.name})`)) console.log(line)
    for (const advice of adviceOn(rooms, Date.now())) console.log(`advice: ${advice}`)
    console.log(`${file}: ${rooms.length === 1 ? '1 room' : `${rooms.length} rooms`}, no problem`)
    return 0
  } catch (error) {
    if (!(error instanceof SettingsError)) throw error
    for (const { path, message } of error.problems) console.error(`${file}: ${path} ${message}`)
    return 1
  }
}

function roomsOfConfig(file: string): readonly RoomConfig[] {
  const vars = varsOf(file)
  const deployment = readDeployment(vars)
  // The rest is about Cloudflare, and a built folder serves elsewhere.
  if (!isFolder()) for (const advice of adviceForCloudflare(deployment, vars)) console.log(`advice: ${advice}`)
  return deployment.rooms
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
