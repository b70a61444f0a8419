/** Sources as visitors load them: without what only readers of the source need. */

/** Removes comments (those with `//` only on lines of their own) and indentation. */
export function compact(text: string): string {
  return text.replace(/\/\*.*?\*\/ ?/gs, '').replace(/^[ \t]*((\/\/.*)?\n)?/gm, '')
}

export function compactStyle(css: string): string {
  return compact(css)
    .replace(/\s*([{};,])\s*/g, '$1')
    .replace(/: /g, ':')
}
