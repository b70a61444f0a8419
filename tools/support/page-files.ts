/** Pages of the operator that stand in files of their own, beside a rooms file: `custom_page_file`. */
import { readFileSync, statSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import { PAGE_BYTES_MAX } from '../../src/settings/custom-page.ts'
import { SettingsError, type SettingsProblem, show } from '../../src/settings/messages.ts'

const FILE = 'custom_page_file'
const PAGE = 'custom_page_html'

/** The rooms with their pages read in, and the file of each page by the path of its setting. */
export interface WithPages {
  readonly rooms: readonly unknown[]
  readonly files: ReadonlyMap<string, string>
}

/**
 * Returns rooms in which the content of each page file is the page. A path begins at the folder of the rooms file.
 * Throws SettingsError with every file that cannot be read, or is too large.
 */
export function withPages(rooms: readonly unknown[], roomsFile: string): WithPages {
  const files = new Map<string, string>()
  const problems: SettingsProblem[] = []
  const read = (settings: unknown, at: string): unknown => {
    if (typeof settings !== 'object' || settings === null || !(FILE in settings)) return settings
    const { [FILE]: file, ...others } = settings
    const page = PAGE in settings ? `must not stand beside ${PAGE}` : pageIn(file, dirname(roomsFile))
    if (typeof page === 'string') {
      problems.push({ path: `${at}.${FILE}`, message: page })
      return others
    }
    files.set(`${at}.${PAGE}`, String(file))
    return { ...others, [PAGE]: page.text }
  }
  const whole = rooms.map((room, nth) => {
    const own = read(room, `rooms[${nth}]`)
    const { events } = Object(own) as { readonly events?: unknown }
    if (!Array.isArray(events)) return own
    return { ...Object(own), events: events.map((event, at) => read(event, `rooms[${nth}].events[${at}]`)) }
  })
  if (problems.length > 0) throw new SettingsError(problems)
  return { rooms: whole, files }
}

/** Returns a problem with a page that was read from a file under the name of the setting in the file. */
export function inPageFile(problem: SettingsProblem, { files }: WithPages): SettingsProblem {
  const file = files.get(problem.path)
  if (file === undefined) return problem
  return { ...problem, path: problem.path.replace(PAGE, FILE), message: `${file} ${problem.message}` }
}

/** Returns the content of a file, or what is wrong with it. The size is known before the file is read. */
function pageIn(file: unknown, folder: string): { readonly text: string } | string {
  if (typeof file !== 'string' || file === '') return `must be the path of a file, got ${show(file)}`
  const path = resolve(folder, file)
  try {
    const { size } = statSync(path)
    if (size > PAGE_BYTES_MAX) {
      const most = PAGE_BYTES_MAX.toLocaleString('en')
      return `must be a file of at most ${most} bytes, got ${size.toLocaleString('en')} in ${path}`
    }
    return { text: readFileSync(path, 'utf8') }
  } catch (error) {
    return `cannot be read: ${(error as Error).message}`
  }
}
