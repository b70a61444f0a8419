/** Writes the tables of settings into the documentation. */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { SCHEMA_FILE, schemaText } from './docs/rooms-schema.ts'
import { withTables } from './docs/tables.ts'
import { run } from './support/cli.ts'

const USAGE = `npm run docs

Writes the tables of settings into the pages of docs/, with the defaults and ranges of the schema, and the schema of a
rooms file. Prints the pages that it has changed.`

const FOLDER = new URL('../docs/', import.meta.url).pathname

await run(USAGE, {}, main)

function main(): Promise<number> {
  for (const name of readdirSync(FOLDER).filter(name => name.endsWith('.md'))) {
    const before = readFileSync(join(FOLDER, name), 'utf8')
    const after = withTables(before)
    if (after === before) continue
    writeFileSync(join(FOLDER, name), after)
    console.log(`docs/${name}`)
  }
  writeFileSync(join(FOLDER, SCHEMA_FILE), schemaText())
  return Promise.resolve(0)
}
