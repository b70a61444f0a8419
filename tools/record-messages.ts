/** Records the messages between the tiers for the tests of the versions after this one. */
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { recordMessages } from './released/messages.ts'
import { ROOT } from './support/build.ts'
import { run } from './support/cli.ts'

const USAGE = `npm run record-messages

Writes the messages between edges, doors and a room into test/core/protocol/released, under the version of package.json.
Run it when a version is released. The tests of later versions then check that both understand each other.`

await run(USAGE, {}, main)

function main(): Promise<number> {
  const { version } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as { readonly version: string }
  const path = `test/core/protocol/released/${version}.json`
  writeFileSync(join(ROOT, path), `${JSON.stringify(recordMessages(), null, 1)}\n`)
  console.log(path)
  return Promise.resolve(0)
}
