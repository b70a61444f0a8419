/** Reads a rooms file, and refuses it as a whole when anything is wrong. */
import { SettingsError } from '../../src/settings/messages.ts'
import { parseRooms } from '../../src/settings/rooms.ts'
import { readConfig, stepsOf } from './config-file.ts'
import { inPageFile, type WithPages, withPages } from './page-files.ts'

/**
 * Returns the rooms as written, checked, with the pages in files of their own read in. The file is a JSON array of
 * rooms, or an object with `rooms` and the `$schema` for an editor. Comments are allowed. Throws with the line, path,
 * value and range of every problem.
 */
export function roomsFile(file: string): unknown {
  const { content, lineOf } = readConfig(file)
  const isList = Array.isArray(content)
  const rooms: unknown = isList ? content : Object(content).rooms
  if (!Array.isArray(rooms))
    throw new SettingsError([{ path: file, message: 'must be a JSON array of rooms, or an object with rooms' }])
  const { rooms: _, $schema, ...others } = isList ? { rooms, $schema: undefined } : Object(content)
  const [unknown] = Object.keys(others)
  if (unknown !== undefined)
    throw new SettingsError([{ path: unknown, message: 'is not part of a rooms file, which has rooms and $schema' }])
  let pages: WithPages = { rooms, files: new Map() }
  try {
    pages = withPages(rooms, file)
    parseRooms(pages.rooms)
  } catch (error) {
    if (!(error instanceof SettingsError)) throw error
    throw new SettingsError(error.problems.map(problem => inPageFile(problem, pages))).at(path => {
      const steps = stepsOf(path)
      return lineOf(isList ? steps.slice(1) : steps)
    })
  }
  return pages.rooms
}
