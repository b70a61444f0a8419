/** The list of all rooms: each room is valid, and no two share a name or a route. */
import { pathOf, problemsOf, SettingsError, type SettingsProblem, show, UNKNOWN_SETTING } from './messages.ts'
import { namePolicy } from './rate-limits.ts'
import { overridesSchema, type RoomConfig, type RuntimeSetting, roomSchema } from './schema.ts'

/** Settings that were changed live, as operators wrote them. */
export type Overrides = Partial<Pick<RoomConfig, RuntimeSetting>>

export const ROOMS_MAX = 100
/** Error messages quote the given value. */
const REPORT = { reportInput: true }

/** Parses the rooms of a deployment. Throws SettingsError with all problems. */
export function parseRooms(value: unknown, at = 'rooms'): readonly RoomConfig[] {
  if (!Array.isArray(value))
    throw new SettingsError([{ path: at, message: `must be a list of rooms, got ${show(value)}` }])
  if (value.length > ROOMS_MAX) {
    throw new SettingsError([{ path: at, message: `must have at most ${ROOMS_MAX} rooms, got ${value.length}` }])
  }
  const problems: SettingsProblem[] = []
  const rooms: RoomConfig[] = []
  value.forEach((item, index) => {
    const parsed = roomSchema.safeParse(item, REPORT)
    if (parsed.success) rooms.push(freeze(parsed.data))
    else
      problems.push(
        ...problemsOf(parsed.error, `${at}[${index}]`, roomSchema).map(problem => namePolicy(problem, item)),
      )
  })
  if (problems.length === 0) problems.push(...clashes(rooms, at))
  if (problems.length > 0) throw new SettingsError(problems)
  return rooms
}

/**
 * Returns a room with live changes on top of its file settings. The result is validated as a whole. Throws
 * SettingsError, whose paths begin at `at`.
 */
export function withOverrides(room: RoomConfig, overrides: unknown, at = ''): RoomConfig {
  const parsed = overridesSchema.safeParse(overrides, REPORT)
  if (!parsed.success)
    throw new SettingsError(
      problemsOf(parsed.error, at, overridesSchema)
        .map(explainFixed)
        .map(problem => namePolicy(problem, overrides)),
    )
  const whole = roomSchema.safeParse({ ...room, ...parsed.data }, REPORT)
  if (!whole.success) throw new SettingsError(problemsOf(whole.error, at))
  const { secure } = room.cookie_attributes
  if (whole.data.cookie_attributes.secure !== secure) {
    const message = `names the cookie, and cannot be changed live: give it as it is in the file, ${show(secure)}`
    throw new SettingsError([{ path: pathOf(at, ['cookie_attributes', 'secure']), message }])
  }
  return freeze(whole.data)
}

/**
 * Returns the stored live changes that still fit a room's file, and the problems with the others. The file may be newer
 * than the changes.
 */
export function fitting(
  room: RoomConfig,
  stored: Overrides,
): { readonly overrides: Overrides; readonly problems: readonly SettingsProblem[] } {
  let overrides = stored
  const problems: SettingsProblem[] = []
  for (;;) {
    const found = problemsWith(room, overrides)
    if (found.length === 0) return { overrides, problems }
    problems.push(...found)
    overrides = without(overrides, blamed(room, overrides, found))
  }
}

/**
 * Returns the changes that cause the problems. If a problem is about a setting of the file, any change may be its
 * cause.
 */
function blamed(room: RoomConfig, overrides: Overrides, problems: readonly SettingsProblem[]): ReadonlySet<string> {
  const names = Object.keys(overrides)
  const named = names.filter(name => problems.some(({ path }) => path.split(/[.[]/)[0] === name))
  if (named.length > 0) return new Set(named)
  const one = names.find(name => problemsWith(room, without(overrides, new Set([name]))).length === 0)
  return new Set(one === undefined ? names : [one])
}

function problemsWith(room: RoomConfig, overrides: Overrides): readonly SettingsProblem[] {
  try {
    withOverrides(room, overrides)
    return []
  } catch (error) {
    if (error instanceof SettingsError && Object.keys(overrides).length > 0) return error.problems
    throw error
  }
}

/** Returns the live changes, except those of some settings. */
export function without(overrides: Overrides, names: ReadonlySet<string>): Overrides {
  return Object.fromEntries(Object.entries(overrides).filter(([name]) => !names.has(name)))
}

/** Returns the routes of a room: its own and the additional ones. */
export function routesOf(room: RoomConfig): { host: string; path: string }[] {
  return [{ host: room.host, path: room.path }, ...room.additional_routes]
}

/** Returns the paths of a room's routes, each once. A site lies below each path. */
export function sitesOf(room: RoomConfig): readonly string[] {
  return [...new Set(routesOf(room).map(({ path }) => path))]
}

/** Explains a problem with a setting that only the file can set. Otherwise its message would be "is not a setting". */
export function explainFixed(problem: SettingsProblem): SettingsProblem {
  const fixed = problem.message.startsWith(UNKNOWN_SETTING) && Object.keys(roomSchema.shape).includes(problem.path)
  return fixed ? { path: problem.path, message: 'cannot be changed live: change the file and deploy' } : problem
}

function clashes(rooms: readonly RoomConfig[], at: string): SettingsProblem[] {
  const problems: SettingsProblem[] = []
  const names = new Map<string, number>()
  const routes = new Map<string, string>()
  rooms.forEach((room, index) => {
    const first = names.get(room.name.toLowerCase())
    if (first === undefined) names.set(room.name.toLowerCase(), index)
    else
      problems.push({
        path: pathOf(at, [index, 'name']),
        message: `must be unique, ${show(room.name)} is ${at}[${first}] already`,
      })
    for (const { host, path } of routesOf(room)) {
      const route = `${host}${room.case_insensitive_paths ? path.toLowerCase() : path}`
      const other = routes.get(route)
      if (other === undefined) routes.set(route, `${at}[${index}]`)
      else
        problems.push({
          path: `${at}[${index}]`,
          message: `must not have the same route as ${other}, got ${show(host + path)}`,
        })
    }
  })
  return problems
}

function freeze<Value>(value: Value): Value {
  if (typeof value === 'object' && value !== null) {
    for (const part of Object.values(value)) freeze(part)
    Object.freeze(value)
  }
  return value
}
