/** The source of this project as tests look at it: its syntax trees, and the prose in it. */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path/posix'
import { parseAst } from 'vitest/node'

const ROOT = new URL('../..', import.meta.url).pathname

export interface SourceFile {
  /** The path from the root of the project. */
  readonly path: string
  readonly code: string
}

/** A node of a syntax tree. */
export interface Node {
  readonly type: string
  readonly start: number
  readonly end: number
  readonly [part: string]: unknown
}

/** A piece of prose, and where it begins. */
export interface Prose {
  readonly kind: 'comment' | 'title' | 'text'
  readonly start: number
  readonly text: string
}

/** Returns the files of a folder whose names end in one of the given ways. */
export function filesOf(folder: string, endings: readonly string[]): SourceFile[] {
  return readdirSync(join(ROOT, folder), { recursive: true, encoding: 'utf8' })
    .filter(file => endings.some(ending => file.endsWith(ending)) && !/node_modules\/|rehearse\/worker\.js$/.test(file))
    .sort()
    .map(file => {
      const path = join(folder, file)
      return { path, code: readFileSync(join(ROOT, path), 'utf8') }
    })
}

/** Calls `see` with every node of a file, and with what `see` returned for the node around it. */
export function walk<Around>({ path, code }: SourceFile, see: (node: Node, around: Around) => Around, outer: Around) {
  const visit = (value: unknown, around: Around): void => {
    if (Array.isArray(value)) for (const part of value) visit(part, around)
    else if (isNode(value)) {
      const here = see(value, around)
      for (const part of Object.values(value)) visit(part, here)
    }
  }
  visit(parseAst(code, { lang: path.endsWith('.ts') ? 'ts' : 'js' }), outer)
}

/** Returns the code with every character of a literal or template replaced by `#`, except line ends. */
export function withoutLiterals(file: SourceFile): string {
  let bare = file.code
  walk(
    file,
    ({ type, start, end }) => {
      if (type !== 'Literal' && type !== 'TemplateLiteral') return
      bare = bare.slice(0, start) + bare.slice(start, end).replaceAll(/[^\n]/g, '#') + bare.slice(end)
    },
    undefined,
  )
  return bare
}

/** Returns the comments of a file. Lines of `//` that follow one another are one comment. */
export function commentsOf(file: SourceFile): Prose[] {
  const isScript = /\.[tj]s$/.test(file.path)
  const pattern = isScript ? /\/\*[\s\S]*?\*\/|\/\/[^\n]*(?:\n[ \t]*\/\/[^\n]*)*/g : /\/\*[\s\S]*?\*\/|<!--[\s\S]*?-->/g
  const bare = isScript ? withoutLiterals(file) : file.code
  return [...bare.matchAll(pattern)].map(({ index: start, 0: { length } }) => {
    const lines = file.code
      .slice(start, start + length)
      .replaceAll(/^\s*(?:\/\*+|\*\/|\*|\/\/|<!--)|(?:\*\/|-->)$/gm, ' ')
    return { kind: 'comment', start, text: lines.replaceAll(/\s+/g, ' ').trim() }
  })
}

/** Returns the string literals of a script that have at least two words, and the titles of its tests. */
export function textsOf(file: SourceFile): Prose[] {
  const found: Prose[] = []
  walk<boolean>(
    file,
    (node, isTitle) => {
      const text = textOf(node)
      if (text !== null && /\S\s+\S/.test(text)) {
        found.push({ kind: isTitle ? 'title' : 'text', start: node.start, text })
      }
      return isTest(node, file.code)
    },
    false,
  )
  return found
}

/** The 1-based line of an offset. */
export function lineAt({ code }: SourceFile, offset: number): number {
  return code.slice(0, offset).split('\n').length
}

function textOf(node: Node): string | null {
  if (node.type === 'Literal') return typeof node.value === 'string' ? node.value : null
  if (node.type !== 'TemplateLiteral') return null
  return (node.quasis as readonly { value: { cooked: string } }[]).map(({ value }) => value.cooked).join('X')
}

/** True for a call of `describe` or `it`, with or without a table. Its only text is the title. */
function isTest(node: Node, code: string): boolean {
  if (node.type !== 'CallExpression' || !isNode(node.callee)) return false
  return /^(?:describe|it)\b/.test(code.slice(node.callee.start, node.callee.end))
}

function isNode(value: unknown): value is Node {
  return typeof value === 'object' && value !== null && 'type' in value && typeof value.type === 'string'
}
