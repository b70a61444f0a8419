/** `/preview` on the admin host: all pages of a room on one page, or one of them as visitors see it. */

import css from '../../../static/admin/preview.css'
import html from '../../../static/admin/preview.html'
import { readJson } from '../../admin/body.ts'
import { invalid } from '../../admin/refusals.ts'
import { SettingsError } from '../../settings/messages.ts'
import { withOverrides } from '../../settings/rooms.ts'
import type { RoomConfig } from '../../settings/schema.ts'
import { LANGUAGE_TAGS } from '../../settings/texts/languages.ts'
import { compactStyle } from '../pages/compact.ts'
import { PREVIEW_PAGES, type Preview, previewOf, SCHEMES } from '../pages/preview.ts'
import { parsed } from '../pages/template.ts'
import type { Visit } from '../request/visit.ts'
import type { RoomClient } from '../room-client/room-client.ts'

const WIDTHS = ['390', '320', '768', '1280'] as const
/**
 * The operator writes a part of the page, and it is served from the host of the dashboard. So no script on it may run.
 */
const PAGE_POLICY = "sandbox allow-popups; frame-ancestors 'self'"
const INDEX_POLICY =
  "default-src 'none'; style-src 'unsafe-inline'; img-src data:; frame-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
const render = parsed(html)
const STYLE = compactStyle(css)

/** Returns the answer. `request` has the body, whose size was checked. */
export async function preview(
  visit: Visit,
  request: Request,
  rooms: ReadonlyMap<string, RoomClient>,
): Promise<Response> {
  const asked = visit.url.searchParams
  const problem = problemWith(asked, rooms)
  if (problem !== null) return invalid([problem])
  const room = rooms.get(asked.get('room') ?? '') ?? (rooms.values().next().value as RoomClient)
  await room.sync.current(visit)
  const name = asked.get('page')
  if (name === null && visit.isSafe) return answer(index(room, rooms, asked), INDEX_POLICY)
  const config = visit.isSafe ? room.settings.config : await draftOf(request, room)
  if (config instanceof Response) return config
  const shown: Preview = {
    page: name ?? 'waiting',
    language: asked.get('lang') || null,
    scheme: SCHEMES.find(scheme => scheme === asked.get('scheme')) ?? null,
  }
  return answer((await previewOf(visit, config, shown)) ?? '', PAGE_POLICY)
}

/** Returns the settings in force, with those of the body replacing them. */
async function draftOf(request: Request, { settings }: RoomClient): Promise<RoomConfig | Response> {
  const body = await readJson(request)
  if (body instanceof Response) return body
  try {
    return withOverrides(settings.config, body.value)
  } catch (error) {
    if (error instanceof SettingsError) return invalid(error.problems)
    throw error
  }
}

function problemWith(asked: URLSearchParams, rooms: ReadonlyMap<string, unknown>) {
  const allowed: readonly (readonly [string, readonly string[]])[] = [
    ['room', [...rooms.keys()]],
    ['page', PREVIEW_PAGES],
    ['lang', ['', ...LANGUAGE_TAGS]],
    ['scheme', ['', ...SCHEMES]],
    ['width', WIDTHS],
  ]
  for (const [path, values] of allowed) {
    const value = asked.get(path)
    if (value !== null && !values.includes(value))
      return {
        path,
        message: `must be one of ${values.filter(one => one !== '').join(', ')}, got ${value.slice(0, 80)}`,
      }
  }
  return null
}

function index(room: RoomClient, rooms: ReadonlyMap<string, RoomClient>, asked: URLSearchParams): string {
  const choices = (name: string, values: readonly string[], preset = '') =>
    values.map(value => ({ value, chosen: value === (asked.get(name) ?? preset) }))
  const urlOf = (page: string) => {
    const query = new URLSearchParams({ room: room.name, page })
    for (const name of ['lang', 'scheme', 'key']) {
      const value = asked.get(name)
      if (value) query.set(name, value)
    }
    return `?${query}`
  }
  return render({
    style: STYLE,
    room: room.name,
    key: asked.get('key') ?? '',
    rooms: choices('room', [...rooms.keys()], room.name),
    languages: choices('lang', ['', ...languagesOf(room)]),
    schemes: choices('scheme', ['', ...SCHEMES]),
    widths: choices('width', WIDTHS),
    pages: PREVIEW_PAGES.map(name => ({ name, url: urlOf(name), width: asked.get('width') ?? WIDTHS[0] })),
  })
}

function languagesOf({ settings: { config } }: RoomClient): readonly string[] {
  return config.languages.length > 0 ? config.languages : LANGUAGE_TAGS
}

function answer(body: string, policy: string): Response {
  const headers = {
    'Content-Type': 'text/html; charset=utf-8',
    'Content-Security-Policy': policy,
    'Cache-Control': 'no-store',
    // The address contains a key.
    'Referrer-Policy': 'no-referrer',
    'X-Robots-Tag': 'noindex',
  }
  return new Response(body, { headers })
}
