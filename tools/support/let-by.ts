/** Shows what a room lets by without a place, beyond the rules that its file spells out. */
import { expandedRule } from '../../src/settings/bypass/presets.ts'
import { sitesOf } from '../../src/settings/rooms.ts'
import type { RoomConfig } from '../../src/settings/schema.ts'

/** Returns lines of text: for each preset its rules, as a file could contain them. */
export function presetsOf(room: RoomConfig, at: string): readonly string[] {
  return room.bypass.flatMap((rule, index) => {
    if (rule.preset === undefined) return []
    const rules = expandedRule(rule, sitesOf(room)).map(one => `  ${inToml(one)}`)
    return [`${at}: bypass[${index}], the preset ${rule.preset}, stands for`, ...rules]
  })
}

/** Returns a value in one line of TOML. */
function inToml(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(inToml).join(', ')}]`
  if (typeof value !== 'object' || value === null) return JSON.stringify(value)
  const pairs = Object.entries(value).map(([name, one]) => `${name} = ${inToml(one)}`)
  return `{ ${pairs.join(', ')} }`
}
