/** Custom pages of the operator: Mustache templates, which are checked before they come into force. */
import Mustache from 'mustache'
import * as z from 'zod'
import type { ChangeRequest } from '../core/protocol/calls.ts'

/**
 * The most bytes of a page. The page goes with the settings to every edge and into the room's storage, and the edge
 * sends it to every waiting visitor. So pictures belong on another host, not in the page.
 */
export const PAGE_BYTES_MAX = 64 * 1_024
/** The most bytes of all pages of a room together: its settings are one row of its storage and one message. */
const ROOM_PAGES_BYTES_MAX = 256 * 1_024
/**
 * The deepest nesting of sections. Rendering makes a nested call for each level, so deeper sections could exhaust the
 * stack.
 */
const SECTIONS_DEEP_MAX = 100
/** Every object has this name. The Mustache library calls it to look up other names. */
const RESERVED = 'hasOwnProperty'
/**
 * Matches a meta tag with its attributes. A quoted attribute may contain `>`. Outside of quotes `<` does not match.
 * Otherwise each of many unclosed tags would be scanned to the end of the page.
 */
const META = /<meta\b(?:"[^"]*"|'[^']*'|[^"'<>])*>/gi
const SAYS_REFRESH = /[\s"'/]http-equiv\s*=\s*["']?\s*refresh\b/i
/** The variable for our block. It is markup, so it must stand between three braces or after `&`. */
const PLACE_BLOCK = /\{\{(\{\s*antesala\s*\}|&\s*antesala\s*)\}\}/
const ESCAPED_BLOCK = /(?<!\{)\{\{\s*antesala\s*\}\}(?!\})/
const PARSE_ERROR = /^(Unclosed|Unopened) (section|tag)(?: "(.*)")? at (\d+)$/s
const SHOWN_BYTES = 60
const ENCODER = new TextEncoder()

export const customPage = () =>
  z
    .string({ error: 'must be text' })
    .superRefine((text, context) => {
      const problem = sizeProblem(text) ?? templateProblem(text)
      if (problem !== null) context.addIssue({ code: 'custom', message: problem })
    })
    .meta({
      description: `A Mustache template for every visitor in line, at most ${count(PAGE_BYTES_MAX)} bytes; empty for our page`,
    })

/**
 * Returns a page without its own refresh tag, because a header of the answer sets the time of the next request.
 * Browsers follow the shorter of the two times, so the tag would make all visitors ask at the same moment. At an
 * address with a fragment, the tag would only scroll the page, and would not load it again.
 */
export function withoutReload(page: string): string {
  return page.replace(META, tag => (SAYS_REFRESH.test(tag) ? '' : tag))
}

/** True if a template has the variable for our live region and scripts. */
export function hasPlaceBlock(template: string): boolean {
  return PLACE_BLOCK.test(template)
}

/** Returns the problem with all pages of a room together, or null. */
export function pagesProblem(pages: readonly (string | null)[]): string | null {
  const bytes = pages.reduce((sum, page) => sum + (page === null ? 0 : bytesOf(page)), 0)
  if (bytes <= ROOM_PAGES_BYTES_MAX) return null
  return `must be at most ${count(ROOM_PAGES_BYTES_MAX)} bytes in all, with those of the room's events, got ${count(bytes)}`
}

/** Settings whose values may be long. */
const LONG: readonly string[] = ['custom_page_html', 'logo', 'logo_dark', 'icon']

/** Returns a change as the audit log stores it: a long page or picture is shortened to its beginning and its size. */
export function withoutPages(request: ChangeRequest): ChangeRequest {
  if (!('set' in request)) return request
  const text = JSON.stringify(request.set, (key, value: unknown) =>
    LONG.includes(key) && typeof value === 'string' ? inShort(value) : value,
  )
  return { set: JSON.parse(text) as unknown }
}

function inShort(page: string): string {
  const bytes = bytesOf(page)
  return bytes <= SHOWN_BYTES * 2 ? page : `${page.slice(0, SHOWN_BYTES)}... (${count(bytes)} bytes)`
}

function sizeProblem(text: string): string | null {
  const bytes = bytesOf(text)
  return bytes <= PAGE_BYTES_MAX ? null : `must be at most ${count(PAGE_BYTES_MAX)} bytes, got ${count(bytes)}`
}

/** Returns the problem with a template, or null if it can be rendered with any values. */
function templateProblem(text: string): string | null {
  const problem = parseProblem(text)
  if (problem !== null) return `must be a Mustache template: ${problem}`
  if (ESCAPED_BLOCK.test(text)) return 'must have {{{antesala}}} between three braces: it is markup'
  if (text.split(PLACE_BLOCK).length > 3) return 'must have {{{antesala}}} once: a page has one place'
  const shown = withoutReload(text)
  if (shown === text) return null
  return parseProblem(shown) === null
    ? null
    : 'must have no section that begins or ends within the refresh tag: the tag is taken out'
}

function parseProblem(text: string): string | null {
  try {
    return tokensProblem(new Mustache.Writer().parse(text) as Tokens)
  } catch (error) {
    if (!(error instanceof Error)) throw error
    return explained(error.message, text)
  }
}

/** Mustache's tokens. A section contains its own tokens in `inside`. */
type Tokens = [kind: string, name: string, start: number, end: number, inside?: Tokens, close?: number][]

/** Returns the reason why a parsed template cannot be rendered, or null. */
function tokensProblem(tokens: Tokens): string | null {
  let level = tokens
  for (let depth = 0; level.length > 0; depth++) {
    if (level.some(([kind, name]) => kind !== 'text' && name === RESERVED))
      return `there is no variable "${RESERVED}": every object has one`
    const sections = level.filter(([kind]) => kind === '#' || kind === '^')
    if (sections.length > 0 && depth === SECTIONS_DEEP_MAX) return `sections must be at most ${SECTIONS_DEEP_MAX} deep`
    level = sections.flatMap(([, , , , inside = []]) => inside)
  }
  return null
}

/**
 * Explains a syntax error. The parser reports where it stopped, but an operator needs the beginning of the tag or
 * section.
 */
function explained(message: string, text: string): string {
  const [, what, kind, name = '', at] = PARSE_ERROR.exec(message) ?? []
  if (kind === 'tag')
    return `the tag in line ${lineOf(text, text.indexOf('{{', text.lastIndexOf('}}') + 1))} has no end`
  if (what === 'Unopened')
    return `the section "${name}" is closed in line ${lineOf(text, Number(at))} and was not opened`
  if (what === 'Unclosed') {
    const [opened, line] = [openedAt(text, name, Number(at)), lineOf(text, Number(at))]
    const until = Number(at) < text.length ? `, and another ends in line ${line}` : ''
    return `the section "${name}" is opened in line ${lineOf(text, opened)} and not closed${until}`
  }
  return message
}

/**
 * Returns the beginning of the section that is open at `end`: the last tag with its name that no tag before `end`
 * closes.
 */
function openedAt(text: string, name: string, end: number): number {
  const open: number[] = []
  for (const tag of text.slice(0, end).matchAll(/\{\{\s*([#^/])\s*([^}]*?)\s*\}\}/g)) {
    if (tag[2] !== name) continue
    if (tag[1] === '/') open.pop()
    else open.push(tag.index)
  }
  return open.at(-1) ?? end
}

function lineOf(text: string, index: number): number {
  return text.slice(0, Math.max(0, index)).split('\n').length
}

function bytesOf(text: string): number {
  return ENCODER.encode(text).length
}

function count(bytes: number): string {
  return bytes.toLocaleString('en')
}
