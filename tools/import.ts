/** Prints rooms from the waiting rooms of another product. */
import { readFileSync } from 'node:fs'
import { stringify } from 'smol-toml'
import { SettingsError } from '../src/settings/messages.ts'
import { parseRooms } from '../src/settings/rooms.ts'
import { readCloudflare } from './import/read.ts'
import { importRooms } from './import/rooms.ts'
import { callOf, type Given, run, UsageError } from './support/cli.ts'

const USAGE = `${callOf('import')} cloudflare FILES...

Prints rooms for wrangler.toml from the JSON of Cloudflare's waiting rooms: answers of its API (waiting rooms, and the
rules, events and settings of them), or a state of Terraform. Standard error has each thing without counterpart, and
what to do. With several rooms, the file of an API answer with rules or events must have the name of its room in its own.
Exit code 1 when a room would be refused.

  npm run -s import -- cloudflare rooms.json shop-rules.json shop-events.json settings.json > rooms.toml`

await run(USAGE, {}, main, 'some')

async function main({ _: [product, ...files] }: Given): Promise<number> {
  if (product !== 'cloudflare') throw new UsageError(`the product must be cloudflare, got ${product ?? 'nothing'}`)
  if (files.length === 0) throw new UsageError('expected files after cloudflare')
  const zone = readCloudflare(files.map(name => ({ name, text: readFileSync(name, 'utf8') })))
  const { rooms, notCarriedOver } = importRooms(zone, Date.now())
  console.log(stringify({ vars: { ROOMS: rooms } }))
  for (const text of notCarriedOver) console.error(`not carried over: ${text}`)
  return refusals(rooms)
}

function refusals(rooms: readonly unknown[]): number {
  try {
    parseRooms(rooms)
    return 0
  } catch (error) {
    if (!(error instanceof SettingsError)) throw error
    for (const { path, message } of error.problems) console.error(`to be corrected: ${path} ${message}`)
    return 1
  }
}
