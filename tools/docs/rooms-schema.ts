/** The JSON Schema of a rooms file, as a file for editors. */
import { roomsFileSchema } from '../../src/settings/purposes/described.ts'

export const SCHEMA_FILE = 'rooms.schema.json'

export function schemaText(): string {
  return `${JSON.stringify(roomsFileSchema(), null, 2)}\n`
}
