/** Shows what a room lets by without a place, beyond the rules that its file spells out. */
import { expandedRule } from '../../src/settings/bypass/presets.ts'
import { WELL_KNOWN_PATHS } from '../../src/settings/bypass/well-known.ts'
import { sitesOf } from '../../src/settings/rooms.ts'
import type { RoomConfig } from '../../src/settings/schema.ts'

/** Returns lines of text: the well-known files, and for each preset its rules as a file could contain them. */
export function letBy(room: RoomConfig, at: string): readonly string[] {
  const hasRoot = sitesOf(room).includes('/')
  const files =
    hasRoot && room.well_known === 'forward'
      ? [`${at}: without a place, GET and HEAD without a query load ${WELL_KNOWN_PATHS.join(' ')}`]
      : []
  const presets = room.bypass.flatMap((rule, index) => {
    if (rule.preset === undefined) return []
    const rules = expandedRule(rule, sitesOf(room)).map(one => `  ${inToml(one)}`)
    return [`${at}: bypass[${index}], the preset ${rule.preset}, stands for`, ...rules]
  })
  return [...files, ...presets]
}

/** Returns a value in one line of TOML. */
function inToml(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(inToml).join(', ')}]`
  if (typeof value !== 'object' || value === null) return JSON.stringify(value)
  const pairs = Object.entries(value).map(([name, one]) => `${name} = ${inToml(one)}`)
  return `{ ${pairs.join(', ')} }`
}
