/** Pages of the operator's own: Mustache templates, checked before they are in force. */
import Mustache from 'mustache'
import * as z from 'zod'
import type { ChangeRequest } from '../core/protocol/calls.ts'

/**
 * A page travels with the settings, to every edge and into the room's storage, and is sent by the edge to everybody in line: images belong on
 * another host, not into it.
 */
const PAGE_BYTES_MAX = 64 * 1_024
/** All pages of a room: its settings are one row of its storage and one message. */
const ROOM_PAGES_BYTES_MAX = 256 * 1_024
/** A page is filled in by a call for each section in another: deeper ones would exhaust the stack. */
const SECTIONS_DEEP_MAX = 100
/** A name that every object has, and by which the library asks for names. */
const RESERVED = 'hasOwnProperty'
/**
 * A tag with its attributes, of which those in quotes may have a `>`. Outside of quotes there is no `<`, or each of many tags that never end would be
 * read to the end of the page.
 */
const META = /<meta\b(?:"[^"]*"|'[^']*'|[^"'<>])*>/gi
const SAYS_REFRESH = /[\s"'/]http-equiv\s*=\s*["']?\s*refresh\b/i
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
      description: `A Mustache template for everybody in line, at most ${count(PAGE_BYTES_MAX)} bytes; empty for our page`,
    })

/**
 * A page as it is filled in. The answer says when to ask again, so a page's own tag for that is taken out: browsers follow the shorter of both, at the same
 * moment for everybody, and to an address with a fragment they would only scroll.
 */
export function withoutReload(page: string): string {
  return page.replace(META, tag => (SAYS_REFRESH.test(tag) ? '' : tag))
}

/** What is wrong with the pages of a room together. */
export function pagesProblem(pages: readonly (string | null)[]): string | null {
  const bytes = pages.reduce((sum, page) => sum + (page === null ? 0 : bytesOf(page)), 0)
  if (bytes <= ROOM_PAGES_BYTES_MAX) return null
  return `must be at most ${count(ROOM_PAGES_BYTES_MAX)} bytes in all, with those of the room's events, got ${count(bytes)}`
}

/** A change as it is kept for the audit: a page is told by its beginning and its size. */
export function withoutPages(request: ChangeRequest): ChangeRequest {
  if (!('set' in request)) return request
  const text = JSON.stringify(request.set, (key, value: unknown) =>
    key === 'custom_page_html' && typeof value === 'string' ? inShort(value) : value,
  )
  return { set: JSON.parse(text) as unknown }
}

function inShort(page: string): string {
  const bytes = bytesOf(page)
  return bytes <= SHOWN_BYTES * 2 ? page : `${page.slice(0, SHOWN_BYTES)}… (${count(bytes)} bytes)`
}

function sizeProblem(text: string): string | null {
  const bytes = bytesOf(text)
  return bytes <= PAGE_BYTES_MAX ? null : `must be at most ${count(PAGE_BYTES_MAX)} bytes, got ${count(bytes)}`
}

/** Null for a template that can be filled in, whatever it is filled in with. */
function templateProblem(text: string): string | null {
  const problem = parseProblem(text)
  if (problem !== null) return `must be a Mustache template: ${problem}`
  const shown = withoutReload(text)
  if (shown === text) return null
  return parseProblem(shown) === null
    ? null
    : 'must have no section that begins or ends within the tag that says when to reload: that tag is taken out'
}

function parseProblem(text: string): string | null {
  try {
    return tokensProblem(new Mustache.Writer().parse(text) as Tokens)
  } catch (error) {
    if (!(error instanceof Error)) throw error
    return explained(error.message, text)
  }
}

/** Of which a section has its own between its tags. */
type Tokens = [kind: string, name: string, start: number, end: number, inside?: Tokens, close?: number][]

/** What can be parsed and not be filled in. */
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

/** The parser says where it stopped; an operator must find where it began. */
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

/** Where the section begins that is open at `end`: the last one of its name that nothing before `end` closes. */
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
