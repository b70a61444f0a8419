/** Writes the tables of settings into pages: between `<!-- settings: NAME -->` and `<!-- end of settings -->`. */
import { type Row, rowsOf } from './schema-rows.ts'
import { TABLES } from './settings.ts'

const PLACE = /<!-- settings: ([a-z]+) -->\n.*?<!-- end of settings -->/gs

/** Returns a page with its tables as the schema has them now. Throws where a page asks for an unknown table. */
export function withTables(page: string): string {
  return page.replace(PLACE, (_, name: string) =>
    [`<!-- settings: ${name} -->`, '', ...tableOf(name), '', '<!-- end of settings -->'].join('\n'),
  )
}

/** Returns the names of the tables that a page contains. */
export function tablesIn(page: string): readonly string[] {
  return [...page.matchAll(PLACE)].map(([, name]) => name as string)
}

function tableOf(name: string): readonly string[] {
  const table = TABLES[name]
  if (table === undefined) throw new Error(`there is no table of settings named ${name}`)
  const { prefix, purposes } = table
  const known = new Map(rowsOf(table.schema).map(row => [row.path, row]))
  const rows = Object.entries(purposes).map(([path, purpose]) => {
    const row = known.get(prefix + path)
    if (row === undefined) throw new Error(`there is no setting ${prefix}${path}`)
    return lineOf(path, row, purpose)
  })
  return ['| setting | default | values | |', '|---|---|---|---|', ...rows]
}

function lineOf(path: string, { preset, values }: Row, purpose: string): string {
  return `| \`${path}\` | ${preset} | ${values.replaceAll('|', '\\|')} | ${purpose} |`.replace('|  |', '| |')
}
