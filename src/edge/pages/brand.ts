/** The brand of a site on the pages of its room. Its style is made once for each version of the settings. */
import css from '../../../static/brand.css'
import { type Palette, paletteOf } from '../../settings/brand/colours.ts'
import { isPicturePath } from '../../settings/brand/pictures.ts'
import type { Brand } from '../../settings/brand/settings.ts'
import type { RoomConfig } from '../../settings/schema.ts'
import { ownTextIn } from '../texts/choose.ts'
import type { Language } from '../texts/language.ts'
import { compactStyle } from './compact.ts'

/** The brand's part of the pages, in a room that has one. */
interface Face {
  /** The style that comes after the style of every page. */
  readonly style: string
  /** True if a picture is a file of the site. */
  readonly loadsPictures: boolean
}

/** Fonts that devices usually have. */
const FONTS: Readonly<Record<Exclude<Brand['font'], 'system'>, string>> = {
  serif: 'ui-serif,Georgia,Cambria,"Times New Roman",serif',
  rounded: 'ui-rounded,"SF Pro Rounded","Hiragino Maru Gothic ProN",Quicksand,Comfortaa,Manjari,sans-serif',
  mono: 'ui-monospace,"Cascadia Mono",Menlo,Consolas,"DejaVu Sans Mono",monospace',
}
const STYLE = compactStyle(css)
const NO_ICON = 'data:,'
const FACES = new WeakMap<Brand, Face | null>()

/** Returns null for a room without a brand: its pages have our own look. */
export function faceOf(brand: Brand): Face | null {
  const known = FACES.get(brand)
  if (known !== undefined) return known
  const made = hasBrand(brand) ? { style: styleOf(brand), loadsPictures: loadsPictures(brand) } : null
  FACES.set(brand, made)
  return made
}

/** Returns the variables of a brand that depend on the request. `site` is the host as people read it. */
export function brandVariables({ site, origin }: { site: string; origin: string }, { brand }: RoomConfig) {
  return {
    site: brand.name === '' ? site : brand.name,
    image: brand.image === '' ? null : origin + brand.image,
  }
}

/** Returns the variables of a brand that are the same for all visitors. */
export function brandConstants(config: RoomConfig, language: Language) {
  const { brand } = config
  const face = faceOf(brand)
  const help = ownTextIn(brand.help_text, language, config)
  return {
    suffix: brand.name === '' ? '' : ` - ${brand.name}`,
    icon: brand.icon === '' ? NO_ICON : brand.icon,
    shared: brand.name !== '' || brand.image !== '',
    brandStyle: face?.style,
    brand: face && {
      homeUrl: brand.home_url,
      logo: brand.logo,
      logoDark: brand.logo_dark,
      helpText: help.text,
      helpLanguage: help.lang,
      helpUrl: brand.help_url,
      privacyUrl: brand.privacy_url,
      hasLinks: brand.help_url !== '' || brand.privacy_url !== '',
    },
  }
}

function hasBrand({ font, help_text, ...others }: Brand): boolean {
  return font !== 'system' || help_text !== '' || Object.values(others).some(value => value !== '' && value !== null)
}

function loadsPictures({ logo, logo_dark, icon }: Brand): boolean {
  return [logo, logo_dark, icon].some(isPicturePath)
}

/** The brand's colours are for screens only: printed pages have colours of their own. */
function styleOf(brand: Brand): string {
  const light = colours(brand.background, brand.accent, 'light')
  const dark = colours(brand.background_dark, brand.accent_dark ?? brand.accent, 'dark')
  const font = brand.font === 'system' ? '' : `body{font-family:${FONTS[brand.font]}}`
  return `@media screen{${light}@media (prefers-color-scheme:dark){${dark}}}${font}${STYLE}`
}

function colours(background: string | null, accent: string | null, scheme: 'light' | 'dark'): string {
  if (background === null && accent === null) return ''
  return `:root{${cssOf(paletteOf({ background, accent }, scheme))}}`
}

function cssOf({ paper, ink, soft, line, accent, onAccent }: Palette): string {
  return `--paper:${paper};--ink:${ink};--soft:${soft};--line:${line};--accent:${accent};--on-accent:${onAccent}`
}
