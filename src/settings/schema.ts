/**
 * The settings of a room as operators write them: in `[[vars.ROOMS]]`, in a rooms file or through the admin API.
 *
 * If Cloudflare Waiting Room has a name for a setting, that name is used here, so that users of Cloudflare Waiting Room
 * can move over. Durations are in minutes. Timeouts, the `interval` of a probe and the `period` of a rate limit are in
 * seconds.
 */
import * as z from 'zod'
import { LANES_MAX } from '../core/ticket.ts'
import { alertRules } from './admin/alert-rules.ts'
import { brandProblems, brandSettings } from './brand/settings.ts'
import { bypassRule } from './bypass/rule.ts'
import { challengeSettings } from './challenge/settings.ts'
import { pagesProblem } from './custom-page.ts'
import { eventsSchema } from './events.ts'
import { healthPins, healthSettings, pinProblem, upstreamList } from './health.ts'
import { flag, isOwnName, numberIn, oneOf, show, textLike, textThat } from './messages.ts'
import { mayBeNamed } from './origin-headers.ts'
import { minutes, overridable } from './overridable.ts'
import { hostPattern, pathPattern } from './patterns.ts'
import { anonymousLimit, rateLimitHeaders, rateLimits } from './rate-limits.ts'
import { languages, ownText, replacedTexts } from './texts/settings.ts'

const doors = z.union([numberIn(1, 100), z.literal('auto')], {
  error: issue => `must be "auto" or a whole number, 1 to 100, got ${show(issue.input)}`,
})

const path = () =>
  textThat(
    text => /^\/[\w\-./~!$&'()*+,=:@]*$/.test(text) && !/\/\/|\/\.{1,2}(\/|$)|\*/.test(text),
    'a path like /shop: it begins with /, and has no wildcard, dot segment, query or percent-encoding',
  ).transform(text => (text === '/' ? text : text.replace(/\/$/, '')))

/** Sources of the CSP directive `frame-ancestors`: `self`, `none`, or origins such as `https://*.shop.example`. */
const frameAncestors = z
  .array(textThat(isFrameSource, 'self, none or an origin like https://shop.example or https://*.shop.example'))
  .max(20)
  .refine(sources => !sources.includes('none') || sources.length === 1, {
    error: 'must have no other entry beside none',
  })

const lane = z.strictObject({
  name: textLike(/^(?!main$)[a-z0-9][a-z0-9_-]{0,31}$/, '1 to 32 small letters, digits, - or _, and not main').refine(
    isOwnName,
    { error: 'must not be "constructor": every object has one' },
  ),
  share: numberIn(0, 1, 'fractions'),
})

const route = z.strictObject({ host: hostPattern(), path: path().default('/') })

/** Settings that only the file can set. */
export const identity = {
  name: textLike(/^[a-z0-9][a-z0-9_-]{0,31}$/i, '1 to 32 letters, digits, - or _, a letter or digit first'),
  host: hostPattern(),
  path: path().default('/'),
  additional_routes: z.array(route).max(20).default([]),
  cookie_suffix: textLike(/^[\w-]{0,32}$/, 'up to 32 letters, digits, - or _').default(''),
  cookie_domain: textLike(/^([a-z0-9-]+\.)+[a-z]{2,}$/i, 'a domain like example.com')
    .nullable()
    .default(null),
}

/** Settings that can change while visitors wait. */
const runtimeShape = {
  total_active_users: overridable.total_active_users,
  new_users_per_minute: overridable.new_users_per_minute,
  session_duration: overridable.session_duration.default(5),
  disable_session_renewal: overridable.disable_session_renewal.default(false),
  max_session_duration: minutes(0.05, 10_080).nullable().default(null),
  reentry_grace: minutes(0, 60).default(2),
  claim_window: minutes(0.1, 1_440).default(5),
  missed_grace: minutes(0, 60).default(2),
  turn: oneOf('enter', 'confirm').default('enter'),
  queue_all: flag().default(false),
  suspended: flag().default(false),
  queueing_method: overridable.queueing_method.default('fifo'),
  shuffle_window: minutes(0.1, 60).default(1),
  alerts: alertRules(),
  lanes: z
    .array(lane)
    .max(LANES_MAX, { error: `must be at most ${LANES_MAX} lanes` })
    .default([]),
  invite_only: flag().default(false),
  queueing_status_code: oneOf(503, 200, 202, 429).default(503),
  doors: doors.default('auto'),
  on_room_failure: oneOf('hold', 'admit').default('hold'),
  cookie_attributes: z
    .strictObject({
      samesite: oneOf('auto', 'lax', 'strict', 'none').default('auto'),
      secure: oneOf('auto', 'always', 'never').default('auto'),
      partitioned: flag().default(false),
    })
    .prefault({}),
  https: oneOf('redirect', 'as-is').default('redirect'),
  case_insensitive_paths: flag().default(false),
  allowed_override_headers: z
    .array(textThat(mayBeNamed, 'a header in small letters that is dropped otherwise, like x-original-url'))
    .max(50)
    .default([]),
  origin_pass: oneOf('header', 'cookie').default('header'),
  protected_paths: z.array(pathPattern()).max(50).default([]),
  protected_duration: minutes(0.05, 1_440).default(15),
  bypass: z.array(bypassRule).max(100).default([]),
  well_known: oneOf('forward', 'queue').default('forward'),
  referrer: oneOf('keep', 'drop').default('keep'),
  rate_limits: rateLimits.prefault([]),
  max_concurrent: numberIn(1, 10_000).nullable().default(null),
  anonymous: anonymousLimit.prefault({}),
  challenge: challengeSettings,
  rate_limit_headers: rateLimitHeaders.prefault({}),
  preflights: oneOf('forward', 'answer').default('forward'),
  cors_origins: z.array(textThat(isOrigin, 'an origin like https://shop.example, or *')).max(50).default([]),
  frame_ancestors: frameAncestors.default([]),
  origin_timeout: numberIn(0.1, 100, 'fractions').default(10),
  origin_body_timeout: numberIn(0.1, 300, 'fractions').nullable().default(null),
  languages: languages.default([]),
  texts: replacedTexts.default({}),
  brand: brandSettings,
  message: overridable.message.default(''),
  custom_page_html: overridable.custom_page_html.default(''),
  events: eventsSchema.default([]),
  remaining: numberIn(0, 10_000_000).nullable().default(null),
  when_sold_out: oneOf('hold', 'reject').default('hold'),
  sold_out_message: ownText().default(''),
  mode: oneOf('enforce', 'observe').default('enforce'),
  health: healthSettings,
  health_pins: healthPins,
  upstreams: upstreamList,
}

export const roomSchema = z.strictObject({ ...identity, ...runtimeShape }).superRefine((room, context) => {
  const { samesite, secure } = room.cookie_attributes
  if (samesite === 'none' && secure === 'never') {
    context.addIssue({
      code: 'custom',
      path: ['cookie_attributes', 'secure'],
      message: 'must not be never when samesite is none',
    })
  }
  const { cookie_domain } = room
  if (cookie_domain !== null) {
    for (const { host } of [room, ...room.additional_routes]) {
      const name = host.replace(/^\*\.?/, '')
      if (name === '' || `.${name}`.toLowerCase().endsWith(`.${cookie_domain.toLowerCase()}`)) continue
      const message = `must be the domain of every host of the room, or browsers take no cookie: ${show(host)} is not below ${show(cookie_domain)}`
      context.addIssue({ code: 'custom', path: ['cookie_domain'], message })
    }
  }
  const shares = room.lanes.reduce((sum, { share }) => sum + share, 0)
  if (shares > 1 + 1e-9 && room.lanes.every(({ share }) => share <= 1)) {
    const message = `must have shares of at most 1 in all, because the main lane gets the rest, got ${Number(shares.toFixed(3))}`
    context.addIssue({ code: 'custom', path: ['lanes'], message })
  }
  room.lanes.forEach(({ name }, index) => {
    const first = room.lanes.findIndex(other => other.name === name)
    if (first === index) return
    const message = `must be unique, "${name}" is lanes[${first}] already`
    context.addIssue({ code: 'custom', path: ['lanes', index, 'name'], message })
  })
  if (room.max_session_duration !== null && room.max_session_duration < room.session_duration) {
    const message = `must be at least session_duration (${room.session_duration}), got ${room.max_session_duration}`
    context.addIssue({ code: 'custom', path: ['max_session_duration'], message })
  }
  const sites = [room, ...room.additional_routes].map(({ path }) => path)
  // If there are other issues, a bypass rule may be invalid. Then it cannot be compiled, so the brand is not checked.
  for (const { path, message } of context.issues.length === 0 ? brandProblems(room, sites) : [])
    context.addIssue({ code: 'custom', path: ['brand', path], message })
  const pages = pagesProblem([room.custom_page_html, ...room.events.map(event => event.custom_page_html)])
  if (pages !== null) context.addIssue({ code: 'custom', path: ['custom_page_html'], message: pages })
  const pin = pinProblem(room.health_pins, room.upstreams)
  if (pin) context.addIssue({ code: 'custom', path: ['health_pins', 'breakers', pin.name], message: pin.message })
  room.events.forEach(({ session_duration }, index) => {
    if (room.max_session_duration === null || session_duration === null) return
    if (session_duration <= room.max_session_duration) return
    const message = `must be at most the room's max_session_duration (${room.max_session_duration}), got ${session_duration}`
    context.addIssue({ code: 'custom', path: ['events', index, 'session_duration'], message })
  })
})

/** The settings that a PATCH may change. */
export const overridesSchema = z.strictObject(
  Object.fromEntries(Object.entries(runtimeShape).map(([name, schema]) => [name, unwrapDefault(schema).optional()])),
)

/**
 * One complete room: defaults are filled in, names are as operators write them. Plain data, so that objects can
 * exchange it.
 */
export type RoomConfig = z.output<typeof roomSchema>
export type RuntimeSetting = keyof typeof runtimeShape
/** The names of the settings that can be changed live. */
export const RUNTIME_SETTINGS = Object.keys(runtimeShape) as readonly RuntimeSetting[]

function unwrapDefault(schema: z.ZodType): z.ZodType {
  return schema instanceof z.ZodDefault || schema instanceof z.ZodPrefault ? (schema.unwrap() as z.ZodType) : schema
}

function isOrigin(text: string): boolean {
  return text === '*' || (URL.canParse(text) && new URL(text).origin === text)
}

function isFrameSource(text: string): boolean {
  if (text === 'self' || text === 'none') return true
  return /^https?:\/\/(\*\.)?[\w.-]+(:\d+)?$/.test(text) && isOrigin(text.replace('*', 'any'))
}
