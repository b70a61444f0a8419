/**
 * Pictures of a brand: a data URI within the page, or a path of the site. An SVG picture can contain scripts, so it may
 * only draw. Anything else in it is refused by name.
 */

/**
 * The most bytes of a picture. Every page contains it, and a visitor without scripts loads the page again and again.
 */
const PICTURE_MAX = 24_576

const RASTER = /^data:image\/(png|jpeg|gif|webp|avif|x-icon|vnd\.microsoft\.icon);base64,([A-Za-z0-9+/]+={0,2})$/
const SVG = /^data:image\/svg\+xml((?:;charset=utf-8|;utf8)?(?:;base64)?),(.+)$/is
const PATH = /^\/(?!\/)[\w\-./~!$&()*+,;=:@%]*$/

/** Elements that do more than draw. */
const ACTIVE =
  /<(?:[\w-]+:)?(script|foreignobject|iframe|object|embed|audio|video|handler|listener|set|animate\w*|style)\b/i
const EVENT = /[\s"'/](on[a-z]+)\s*=/i
/** Matches an address that is not within the picture itself. */
const FOREIGN = /[\s"'/]((?:xlink:)?href|src)\s*=\s*(?!["']#)/i
const FOREIGN_STYLE = /url\(\s*["']?(?!#)|@import/i

/** Returns the problem with a picture, or null. */
export function pictureProblem(text: string): string | null {
  if (text.length > PICTURE_MAX)
    return `must be at most 24,576 characters, got ${text.length.toLocaleString('en')}: give the path of a larger one`
  if (isPicturePath(text) || RASTER.test(text)) return null
  const [, form, content = ''] = SVG.exec(text) ?? []
  if (form === undefined)
    return 'must be a path like /logo.svg or a data URI like data:image/png;base64,... (png, jpeg, gif, webp, avif, svg+xml or x-icon)'
  if (/\s/.test(text)) return 'must be a data URI without spaces: encode it by base64 or percent-encoding'
  const svg = /;base64$/i.test(form) ? fromBase64(content) : fromPercent(content)
  return svg === null ? 'must be a data URI whose content can be decoded' : drawingProblem(svg)
}

export function isPicturePath(text: string): boolean {
  return PATH.test(text)
}

/** Returns the problem with a drawing that does more than draw, or null. */
function drawingProblem(svg: string): string | null {
  if (!/<svg[\s>]/i.test(svg)) return 'must contain an <svg>'
  if (/<!(DOCTYPE|ENTITY)/i.test(svg)) return 'must contain no <!DOCTYPE> and no <!ENTITY>'
  if (/&#/.test(svg)) return 'must contain no numeric character references (&#...)'
  const element = ACTIVE.exec(svg)?.[1]
  if (element !== undefined) return `must only draw: it contains <${element}>`
  const event = EVENT.exec(svg)?.[1]
  if (event !== undefined) return `must only draw: it contains the attribute ${event}`
  const link = FOREIGN.exec(svg)?.[1]
  if (link !== undefined) return `must refer to nothing outside itself: it contains the attribute ${link}`
  return FOREIGN_STYLE.test(svg) ? 'must refer to nothing outside itself: it contains url(...) or @import' : null
}

function fromBase64(text: string): string | null {
  try {
    const bytes = Uint8Array.from(atob(text), char => char.charCodeAt(0))
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: false }).decode(bytes)
  } catch {
    return null
  }
}

function fromPercent(text: string): string | null {
  try {
    return decodeURIComponent(text)
  } catch {
    return null
  }
}
