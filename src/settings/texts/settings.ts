/** The settings of languages: the languages of a room, the operator's own texts, and replacements for our texts. */
import * as z from 'zod'
import { show } from '../messages.ts'
import { TEXT_KEYS, type TextKey } from './keys.ts'
import { LANGUAGE_TAGS, type LanguageTag } from './languages.ts'

const TEXT_MAX = 1_000
/** The most characters of all `texts` together: the settings of a room are one row of its storage and one message. */
const TEXTS_MAX = 32_000
const TOO_LONG = 'must be at most 1,000 characters'
const NO_LANGUAGE = 'must be a language of docs/languages.md'

/** A text of the operator: one for all visitors, or one for each language. */
export type OwnText = string | Readonly<Partial<Record<LanguageTag, string>>>

/** Replacements for our texts, by language and key. */
type Replaced = Readonly<Partial<Record<LanguageTag, Readonly<Partial<Record<TextKey, string>>>>>>

export const ownText = () =>
  z
    .union([z.string(), z.record(z.string(), z.string())], {
      error: issue => `must be text, or one for each language, got ${show(issue.input)}`,
    })
    .superRefine((given, context) => {
      const say = (path: string[], message: string) => context.addIssue({ code: 'custom', path, message })
      if (typeof given === 'string') {
        if (given.length > TEXT_MAX) say([], TOO_LONG)
        return
      }
      for (const [tag, text] of Object.entries(given)) {
        if (!isLanguage(tag)) say([tag], `${NO_LANGUAGE}, got ${show(tag)}`)
        if (text.length > TEXT_MAX) say([tag], TOO_LONG)
      }
    })
    .transform(given => given as OwnText)

/** The languages of a room, in the order of preference. The first one is the fallback. */
export const languages = z
  .array(z.string().refine(isLanguage, { error: issue => `${NO_LANGUAGE}, got ${show(issue.input)}` }))
  .max(LANGUAGE_TAGS.length)
  .superRefine((tags, context) => {
    tags.forEach((tag, index) => {
      if (tags.indexOf(tag) === index) return
      const message = `must be unique, ${show(tag)} is languages[${tags.indexOf(tag)}] already`
      context.addIssue({ code: 'custom', path: [index], message })
    })
  })
  .transform(tags => tags as LanguageTag[])

export const replacedTexts = z
  .record(z.string(), z.record(z.string(), z.string()))
  .superRefine((given, context) => {
    const say = (path: string[], message: string) => context.addIssue({ code: 'custom', path, message })
    let characters = 0
    for (const [tag, texts] of Object.entries(given)) {
      if (!isLanguage(tag)) say([tag], `${NO_LANGUAGE}, got ${show(tag)}`)
      for (const [key, text] of Object.entries(texts)) {
        characters += text.length
        const problem = replacementProblem(key, text)
        if (problem !== null) say([tag, key], problem)
      }
    }
    if (characters > TEXTS_MAX) say([], `must be at most 32,000 characters in all, got ${characters}`)
  })
  .transform(given => given as Replaced)

/** Returns the problem with a replacement for the text of a key, or null. */
function replacementProblem(key: string, text: string): string | null {
  if (!Object.hasOwn(TEXT_KEYS, key)) return 'is not the key of a text: static/texts/en.json has the keys'
  if (text.trim() === '') return 'must not be empty'
  if (text.length > TEXT_MAX) return TOO_LONG
  const values: readonly string[] = TEXT_KEYS[key as TextKey]
  const foreign = [...text.matchAll(/\{(\w+)\}/g)].map(([, name]) => name ?? '').find(name => !values.includes(name))
  if (foreign === undefined) return null
  const known =
    values.length === 0 ? 'has no values' : `has the values ${values.map(name => `{${name}}`).join(' and ')}`
  return `must name no value {${foreign}}: this text ${known}`
}

function isLanguage(tag: string): boolean {
  return (LANGUAGE_TAGS as readonly string[]).includes(tag)
}
