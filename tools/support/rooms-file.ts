/** Reads a rooms file, and refuses it as a whole when anything is wrong. */
import { SettingsError } from '../../src/settings/messages.ts'
import { parseRooms } from '../../src/settings/rooms.ts'
import { readConfig, stepsOf } from './config-file.ts'

/**
 * Returns the rooms as written, checked. The file is a JSON array of rooms, or an object with `rooms` and the `$schema`
 * for an editor. Comments are allowed. Throws with every problem's line, path, value and range.
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
  try {
    parseRooms(rooms)
  } catch (error) {
    if (!(error instanceof SettingsError)) throw error
    throw error.at(path => {
      const steps = stepsOf(path)
      return lineOf(isList ? steps.slice(1) : steps)
    })
  }
  return rooms
}
