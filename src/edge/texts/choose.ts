/**
 * Chooses the language of an answer among those of the room: the one in `?lang`, else the best for Accept-Language,
 * else the room's first. For a poll this costs one look-up in a map.
 */
import { LRUCache } from 'lru-cache'
import { acceptedTags, bestTag } from '../../core/language-tags.ts'
import type { RoomConfig } from '../../settings/schema.ts'
import { FALLBACK, LANGUAGE_TAGS, type LanguageTag } from '../../settings/texts/languages.ts'
import type { OwnText } from '../../settings/texts/settings.ts'
import type { Visit } from '../request/visit.ts'
import { languageOf, languageWith } from './catalog.ts'
import type { Language } from './language.ts'

/**
 * The most headers whose choice is remembered. Browsers of one country send a few hundred different ones, but a visitor
 * could send any number of others.
 */
const WISHES_MAX = 500

/** The languages that an isolate has chosen and created for one version of a room's settings. */
interface Chosen {
  readonly byWish: LRUCache<string, Language>
  /** Languages in which the room has replaced some words. */
  readonly own: Map<LanguageTag, Language>
}

const ROOMS = new WeakMap<RoomConfig, Chosen>()

/** Returns the language for a visitor of a room. */
export function languageFor(visit: Visit, config: RoomConfig): Language {
  const { asked, accepts } = visit.languageWish
  const chosen = chosenIn(config)
  const wish = `${asked ?? ''};${accepts}`
  const known = chosen.byWish.get(wish)
  if (known) return known
  const available = config.languages.length > 0 ? config.languages : LANGUAGE_TAGS
  const wanted = [...(asked === null ? [] : [asked]), ...acceptedTags(accepts)]
  const tag = (bestTag(wanted, available) as LanguageTag | null) ?? fallbackOf(config)
  const language = inRoom(tag, config, chosen)
  chosen.byWish.set(wish, language)
  return language
}

/**
 * Returns the address of a poll in the language of its page. Without `?lang` the browser's header leads to the same
 * language.
 */
export function inLanguageOf(visit: Visit, config: RoomConfig, url: string): string {
  return visit.languageWish.asked === null ? url : `${url}&lang=${languageFor(visit, config).tag}`
}

/**
 * Returns the operator's text for a language, with the tag of the language in which it is written. The tag is null if
 * the text is for all visitors and the room names no language.
 */
export function ownTextIn(
  own: OwnText,
  { tag }: Language,
  config: RoomConfig,
): { readonly text: string; readonly lang: string | null } {
  if (typeof own === 'string') return { text: own, lang: config.languages[0] ?? null }
  const exact = own[tag]
  if (exact !== undefined) return { text: exact, lang: tag }
  const given = Object.keys(own) as LanguageTag[]
  const lang = (bestTag([tag, fallbackOf(config)], given) as LanguageTag | null) ?? given[0]
  return lang === undefined ? { text: '', lang: null } : { text: own[lang] ?? '', lang }
}

function fallbackOf({ languages }: RoomConfig): LanguageTag {
  return languages[0] ?? FALLBACK
}

function chosenIn(config: RoomConfig): Chosen {
  const known = ROOMS.get(config)
  if (known) return known
  const made: Chosen = { byWish: new LRUCache({ max: WISHES_MAX }), own: new Map() }
  ROOMS.set(config, made)
  return made
}

/** Returns a language with the words that the room has replaced. */
function inRoom(tag: LanguageTag, { texts }: RoomConfig, { own }: Chosen): Language {
  const replaced = texts[tag]
  if (replaced === undefined) return languageOf(tag)
  const known = own.get(tag)
  if (known) return known
  const made = languageWith(tag, replaced)
  own.set(tag, made)
  return made
}
