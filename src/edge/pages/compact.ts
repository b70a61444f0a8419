/** Makes sources smaller for visitors: removes what only readers of the source need. */

/** Removes indentation and comments. Comments with `//` are removed only if they have lines of their own. */
export function compact(text: string): string {
  return text.replace(/\/\*.*?\*\/ ?/gs, '').replace(/^[ \t]*((\/\/.*)?\n)?/gm, '')
}

export function compactStyle(css: string): string {
  return compact(css)
    .replace(/\s*([{};,])\s*/g, '$1')
    .replace(/: /g, ':')
}
