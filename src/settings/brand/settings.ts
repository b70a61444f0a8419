/** The setting `brand`: the look of a site on all pages of its room. */
import * as z from 'zod'
import { readingsOf } from '../../core/path.ts'
import type { BypassRule } from '../bypass/rule.ts'
import { WELL_KNOWN_RULES } from '../bypass/well-known.ts'
import { compileBypass } from '../compiled/bypass.ts'
import { oneOf, type SettingsProblem, show, textLike, textThat } from '../messages.ts'
import { ownText } from '../texts/settings.ts'
import { bestContrastOn, contrast, longForm, paletteOf, TEXT_CONTRAST_MIN } from './colours.ts'
import { isPicturePath, pictureProblem } from './pictures.ts'

const NAME_MAX = 60
const LINK_MAX = 500
const PICTURES = ['logo', 'logo_dark', 'icon', 'image'] as const
const LINKS = ['home_url', 'help_url', 'privacy_url'] as const

const colour = () =>
  textLike(/^#([0-9a-f]{3}|[0-9a-f]{6})$/i, 'a colour like #2c6e60')
    .nullable()
    .default(null)

const background = () =>
  textLike(/^#([0-9a-f]{3}|[0-9a-f]{6})$/i, 'a colour like #f8f7f3')
    .superRefine((given, context) => {
      if (!/^#([0-9a-f]{3}){1,2}$/i.test(given)) return
      const best = bestContrastOn(given)
      if (best >= TEXT_CONTRAST_MIN) return
      const message = `must leave text a contrast of ${TEXT_CONTRAST_MIN}:1 at least, got ${show(given)} with ${inFigures(best)}`
      context.addIssue({ code: 'custom', message })
    })
    .nullable()
    .default(null)

const picture = () =>
  z
    .string({ error: issue => `must be a data URI or a path like /logo.svg, got ${show(issue.input)}` })
    .superRefine((text, context) => {
      const problem = text === '' ? null : pictureProblem(text)
      if (problem !== null) context.addIssue({ code: 'custom', message: problem })
    })
    .default('')

const link = (schemes: RegExp, what: string) =>
  textThat(text => text === '' || (text.length <= LINK_MAX && isLink(text, schemes)), what).default('')

export const brandSettings = z
  .strictObject({
    name: textThat(text => text.length <= NAME_MAX && !/\p{Cc}/u.test(text), 'text, up to 60 characters').default(''),
    logo: picture(),
    logo_dark: picture(),
    icon: picture(),
    image: textThat(text => text === '' || isPicturePath(text), 'a path like /share.png').default(''),
    accent: colour(),
    accent_dark: colour(),
    background: background(),
    background_dark: background(),
    font: oneOf('system', 'serif', 'rounded', 'mono').default('system'),
    home_url: link(/^https:$/, 'a path or an address like https://shop.example/'),
    help_url: link(/^(https|mailto|tel):$/, 'a path, or an https, mailto or tel address'),
    privacy_url: link(/^https:$/, 'a path or an address like https://shop.example/privacy'),
    help_text: ownText().default(''),
  })
  .prefault({})

export type Brand = z.output<typeof brandSettings>

/** The parts of a room that its brand depends on. */
interface Room {
  readonly brand: Brand
  readonly bypass: readonly BypassRule[]
  readonly well_known: 'forward' | 'queue'
}

/** Returns the pictures that a visitor in line could not load. `below` are the paths of the room's sites. */
export function brandProblems(room: Room, below: readonly string[]): SettingsProblem[] {
  const { brand } = room
  const passes = passTest(room, below)
  return PICTURES.filter(name => isPicturePath(brand[name]) && !passes(brand[name])).map(name => ({
    path: name,
    message: `must be under a bypass rule, or visitors in line cannot load it, got ${show(brand[name])}`,
  }))
}

/**
 * Returns advice without the name of the room: on colours that the pages must change, and on links that lead back to
 * the line.
 */
export function adviceOnBrand(room: Room, below: readonly string[]): string[] {
  const { brand } = room
  const passes = passTest(room, below)
  const links = LINKS.filter(name => name !== 'home_url' && brand[name].startsWith('/') && !passes(brand[name]))
  return [
    ...adviceOnAccent('accent', brand.accent, brand.background, 'light'),
    ...adviceOnAccent('accent_dark', brand.accent_dark, brand.background_dark, 'dark'),
    ...links.map(
      name => `brand.${name} is under no bypass rule: to a visitor in line it shows the waiting page once more`,
    ),
  ]
}

function adviceOnAccent(
  name: 'accent' | 'accent_dark',
  accent: string | null,
  paper: string | null,
  scheme: 'light' | 'dark',
): string[] {
  if (accent === null) return []
  const shown = paletteOf({ accent, background: paper }, scheme)
  if (shown.accent === longForm(accent)) return []
  const had = inFigures(contrast(accent, shown.paper))
  return [
    `brand.${name} ${accent} has a contrast of ${had} on ${shown.paper}, and buttons need 3:1: the pages show ${shown.accent}`,
  ]
}

/**
 * Returns a function that tests whether a browser without a place can load a path. `below` are the paths of the room's
 * sites.
 */
function passTest({ bypass, well_known }: Room, below: readonly string[]): (path: string) => boolean {
  const rules = compileBypass([...bypass, ...(well_known === 'forward' ? WELL_KNOWN_RULES : [])], below)
  return link => {
    const path = link.replace(/[?#].*$/, '')
    if (!below.some(site => site === '/' || path === site || path.startsWith(`${site}/`))) return true
    const readings = readingsOf(path)
    const facts = {
      method: 'GET',
      readings,
      query: null,
      header: () => null,
      sentHeader: () => null,
      cookies: new Map(),
      address: null,
      country: null,
      botCategory: null,
    }
    return rules.some(rule => rule.matchesPath(readings) && rule.matchesFacts(facts))
  }
}

function isLink(text: string, schemes: RegExp): boolean {
  if (/[\s<>"\\]/.test(text)) return false
  if (text.startsWith('/')) return !text.startsWith('//')
  return URL.canParse(text) && schemes.test(new URL(text).protocol)
}

function inFigures(ratio: number): string {
  return `${(Math.floor(ratio * 10) / 10).toFixed(1)}:1`
}
