/** The markup of a page without its values, so that two pages can be compared. */

const TAG = /<([!/]?[a-z][\w-]*|!--)((?:[^<>"']|"[^"]*"|'[^']*')*)>?/gi
const ATTRIBUTE = /([\w-]+)(?:="([^"]*)")?/g
const RAW_TEXT = /(<(script|style)\b[^>]*>).*?(<\/\2>)/gis

/** Returns all tags of a page in order, each with the names of its attributes. */
export function markupOf(html: string): string {
  const tags = [...html.replace(RAW_TEXT, '$1$3').matchAll(TAG)]
  return tags
    .map(([, name, rest = '']) => [name, ...[...rest.matchAll(ATTRIBUTE)].map(([, attribute]) => attribute)].join(' '))
    .join('\n')
}

/** Returns the scripts and styles of a page. They are the same for every visitor. */
export function rawTextOf(html: string): string {
  return [...html.matchAll(RAW_TEXT)].map(([whole]) => whole).join('\n')
}
