/** Chooses the language of an answer. */
import type { RoomConfig } from '../../settings/schema.ts'
import type { Visit } from '../request/visit.ts'
import { languageOf } from './catalog.ts'
import type { Language } from './language.ts'

export function languageFor(_visit: Visit, _config: RoomConfig): Language {
  return languageOf('en')
}
