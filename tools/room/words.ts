/** A room in lines of text, for a terminal. */
import type { ShownRoom } from '../../src/admin/openapi/bodies/room.ts'

const NAMES = { rate: 'new_users_per_minute', places: 'total_active_users', hold: 'queue_all' } as const

/** Returns the name of a setting, which may be given by a shorter one. */
export function settingName(given: string): string {
  return Object.hasOwn(NAMES, given) ? NAMES[given as keyof typeof NAMES] : given
}

/** Reads `rate=500`. A value that is no JSON is text. Returns null where there is no value. */
export function assignment(given: string): readonly [name: string, value: unknown] | null {
  const [, name = '', value = ''] = /^([a-z_]+)=(.*)$/s.exec(given) ?? []
  if (name === '') return null
  try {
    return [settingName(name), JSON.parse(value)]
  } catch {
    return [settingName(name), value]
  }
}

export function valueWords(value: unknown): string {
  return typeof value === 'string' ? value : JSON.stringify(value)
}

/** Returns one line about the present state. */
export function stateLine(room: ShownRoom): string {
  const { active, totalActiveUsers, waiting, admittedLastMinute, effectiveRatePerMinute, waitMs, health } = room.figures
  const time = room.now.slice(11, 19)
  return [
    `${time} UTC`,
    stateWord(room),
    `inside ${count(active)}/${count(totalActiveUsers)}`,
    `waiting ${count(waiting)}`,
    `let in ${count(admittedLastMinute)}/${count(effectiveRatePerMinute)} a minute`,
    `wait ${waitMs === null ? 'unknown' : duration(waitMs)}`,
    `origin ${health.state}`,
  ].join('  ')
}

function stateWord({ settings, figures }: ShownRoom): string {
  if (settings.suspended) return 'suspended'
  if (settings.mode === 'observe') return 'observing'
  if (figures.held) return 'held'
  return figures.open ? 'open' : 'a line'
}

/** Returns columns as lines, each column as wide as its longest cell. */
export function table(rows: readonly (readonly string[])[]): string {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map(row => row[column]?.length ?? 0)))
  return rows
    .map(row =>
      row
        .map((cell, column) => cell.padEnd(widths[column] ?? 0))
        .join('  ')
        .trimEnd(),
    )
    .join('\n')
}

export function when(ms: number | string): string {
  return `${new Date(ms).toISOString().slice(0, 19)}Z`
}

export function duration(ms: number): string {
  const seconds = Math.round(ms / 1_000)
  return seconds < 90 ? `${seconds} s` : `${Math.round(seconds / 60)} min`
}

export function count(value: number): string {
  return value.toLocaleString('en', { maximumFractionDigits: 1 })
}
