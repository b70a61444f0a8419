/** Reads a rooms file, a JSON array, and refuses it as a whole when anything is wrong. */
import { readFileSync } from 'node:fs'
import { SettingsError } from '../../src/settings/messages.ts'
import { parseRooms } from '../../src/settings/rooms.ts'

/** Returns the rooms as written, checked. Throws with every problem's path, value and range. */
export function roomsFile(file: string): unknown {
  let rooms: unknown
  try {
    rooms = JSON.parse(readFileSync(file, 'utf8'))
  } catch (error) {
    throw new SettingsError([{ path: file, message: `must be a JSON array of rooms: ${(error as Error).message}` }])
  }
  parseRooms(rooms)
  return rooms
}
