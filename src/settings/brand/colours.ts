/** The colours of a room's pages. Contrast is that of WCAG 2.2: from 1 (invisible) to 21 (black on white). */

type Rgb = readonly [red: number, green: number, blue: number]

/** The colours of a page in one colour scheme, as `#rrggbb`. */
export interface Palette {
  readonly paper: string
  readonly ink: string
  /** The colour of less important text. */
  readonly soft: string
  readonly line: string
  readonly accent: string
  /** The colour of text on the accent colour. */
  readonly onAccent: string
}

export type Scheme = 'light' | 'dark'

/** Text on a background needs this contrast (WCAG 1.4.6). Then softer text on it still has a contrast of 4.5. */
export const TEXT_CONTRAST_MIN = 7
const SOFT_CONTRAST_MIN = 4.5
/** Buttons, bars and outlines need this contrast (WCAG 1.4.11). */
const ACCENT_CONTRAST_MIN = 3

const WHITE = '#ffffff'
const BLACK = '#000000'
/**
 * Colours of text, the preferred one first. Pure black and white are for backgrounds on which the others are too weak.
 */
const INKS = ['#1f2528', '#eceae5', BLACK, WHITE] as const
/** The colours of our own pages, the same as in waiting.css. */
const OWN = {
  light: { paper: '#f8f7f3', accent: '#2c6e60' },
  dark: { paper: '#15181a', accent: '#7cc4b3' },
} as const
/** The greatest share of the background's colour in softer text, and its share in lines. */
const SOFT_SHARE = 0.3
const LINE_SHARE = 0.86
const STEP = 0.05

/**
 * Returns the colours of a scheme. A colour of null is replaced by ours. An accent that is too weak is mixed with the
 * text.
 */
export function paletteOf(given: { background: string | null; accent: string | null }, scheme: Scheme): Palette {
  const paper = longForm(given.background ?? OWN[scheme].paper)
  const ink = inkOn(paper)
  const accent = strengthened(longForm(given.accent ?? OWN[scheme].accent), ink, paper)
  return {
    paper,
    ink,
    soft: softened(ink, paper),
    line: mixed(ink, paper, LINE_SHARE),
    accent,
    onAccent: contrast(accent, WHITE) >= contrast(accent, BLACK) ? WHITE : BLACK,
  }
}

/** Returns the contrast that the best colour of text has on a background. */
export function bestContrastOn(background: string): number {
  const paper = longForm(background)
  return contrast(inkOn(paper), paper)
}

/** Returns the contrast of two colours (WCAG 2.2, contrast ratio). */
export function contrast(one: string, other: string): number {
  const [dark, light] = [luminance(rgbOf(one)), luminance(rgbOf(other))].sort((a, b) => a - b) as [number, number]
  return (light + 0.05) / (dark + 0.05)
}

/** Returns `#abc` as `#aabbcc`. */
export function longForm(colour: string): string {
  const hex = colour.toLowerCase()
  return hex.length === 4 ? hex.replace(/[^#]/g, digit => digit + digit) : hex
}

function inkOn(paper: string): string {
  const enough = INKS.find(ink => contrast(ink, paper) >= TEXT_CONTRAST_MIN)
  return enough ?? (contrast(BLACK, paper) > contrast(WHITE, paper) ? BLACK : WHITE)
}

/** Returns the softest colour of text that still has enough contrast. */
function softened(ink: string, paper: string): string {
  for (let share = SOFT_SHARE; share > 0; share -= STEP) {
    const soft = mixed(ink, paper, share)
    if (contrast(soft, paper) >= SOFT_CONTRAST_MIN) return soft
  }
  return ink
}

function strengthened(accent: string, ink: string, paper: string): string {
  for (let share = 0; share < 1; share += STEP) {
    const mix = mixed(accent, ink, share)
    if (contrast(mix, paper) >= ACCENT_CONTRAST_MIN) return mix
  }
  return ink
}

/** Returns a mix of two colours, with this share of the second. */
function mixed(first: string, second: string, share: number): string {
  const [a, b] = [rgbOf(first), rgbOf(second)]
  const parts = a.map((part, i) => Math.round(part * (1 - share) + (b[i] as number) * share))
  return `#${parts.map(part => part.toString(16).padStart(2, '0')).join('')}`
}

function rgbOf(colour: string): Rgb {
  const hex = longForm(colour)
  const part = (at: number) => Number.parseInt(hex.slice(at, at + 2), 16)
  return [part(1), part(3), part(5)]
}

/** Relative luminance (WCAG 2.2). */
function luminance([red, green, blue]: Rgb): number {
  return 0.2126 * linear(red) + 0.7152 * linear(green) + 0.0722 * linear(blue)
}

function linear(part: number): number {
  const share = part / 255
  return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4
}
