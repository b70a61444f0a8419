/** Reads a configuration in the form of wrangler.toml or wrangler.jsonc, and finds the line of each of its values. */
import { readFileSync } from 'node:fs'
import { findNodeAtLocation, type ParseError, parse as parseJsonc, parseTree, printParseErrorCode } from 'jsonc-parser'
import { parse, TomlError } from 'smol-toml'
import { parseTOML, traverseNodes } from 'toml-eslint-parser'
import type { Variables } from '../../src/settings/deployment.ts'
import { SettingsError } from '../../src/settings/messages.ts'

type Step = string | number

export interface ConfigFile {
  /** The content of the file, unchecked. */
  readonly content: unknown
  /** Returns the line of a value, or of the nearest value that contains it. */
  lineOf(path: readonly Step[]): number | null
}

/** Throws SettingsError if the file is missing or has a wrong line. The error names the line. */
export function readConfig(file: string): ConfigFile {
  const text = textOf(file)
  return /\.jsonc?$/.test(file) ? jsonFile(text) : tomlFile(text)
}

/** Returns the file's `[vars]`, unchecked. Throws SettingsError as `readConfig` does. */
export function varsOf(file: string): Variables & Readonly<Record<string, unknown>> {
  const { vars } = Object(readConfig(file).content) as { readonly vars?: Variables & Readonly<Record<string, unknown>> }
  return vars ?? {}
}

/** Splits a path as problems have it: `rooms[0].bypass[1].cidr`. */
export function stepsOf(path: string): Step[] {
  return (path.match(/[^.[\]]+/g) ?? []).map(step => (/^\d+$/.test(step) ? Number(step) : step))
}

function textOf(file: string): string {
  try {
    return readFileSync(file, 'utf8')
  } catch (error) {
    throw new SettingsError([{ path: file, message: `cannot be read: ${(error as Error).message}` }])
  }
}

/** JSON with comments, and with commas at the end of lists, as Wrangler reads it. */
function jsonFile(text: string): ConfigFile {
  const errors: ParseError[] = []
  const content: unknown = parseJsonc(text, errors, { allowTrailingComma: true })
  const lineAt = (offset: number) => text.slice(0, offset).split('\n').length
  const [first] = errors
  if (first) {
    const reason = printParseErrorCode(first.error)
      .replace(/(?<=[a-z])(?=[A-Z])/g, ' ')
      .toLowerCase()
    throw new SettingsError([{ path: `line ${lineAt(first.offset)}`, message: `is not JSON: ${reason}` }])
  }
  const tree = parseTree(text, [], { allowTrailingComma: true })
  return {
    content,
    lineOf(path) {
      if (!tree) return null
      for (let length = path.length; length > 0; length--) {
        const node = findNodeAtLocation(tree, path.slice(0, length))
        if (node) return lineAt((node.parent?.type === 'property' ? node.parent : node).offset)
      }
      return null
    },
  }
}

function tomlFile(text: string): ConfigFile {
  let content: unknown
  try {
    content = parse(text)
  } catch (error) {
    if (!(error instanceof TomlError)) throw error
    throw new SettingsError([{ path: `line ${error.line}`, message: error.message.split('\n')[0] ?? 'is not TOML' }])
  }
  let lines: ReadonlyMap<string, number> | null = null
  return {
    content,
    lineOf(path) {
      lines ??= linesOfToml(text)
      for (let length = path.length; length > 0; length--) {
        const line = lines.get(JSON.stringify(path.slice(0, length)))
        if (line !== undefined) return line
      }
      return null
    },
  }
}

/** Returns the line of each key, by its path as JSON. */
function linesOfToml(text: string): ReadonlyMap<string, number> {
  const lines = new Map<string, number>()
  /** The paths of the tables, lists and pairs that are being read. */
  const open: (readonly Step[])[] = []
  const note = (path: readonly Step[], line: number) => {
    const key = JSON.stringify(path)
    if (!lines.has(key)) lines.set(key, line)
  }
  traverseNodes(parseTOML(text), {
    enterNode(node, parent) {
      const base = open.at(-1) ?? []
      let path: readonly Step[] = base
      if (node.type === 'TOMLTable') path = node.resolvedKey
      else if (node.type === 'TOMLKeyValue')
        path = [...base, ...node.key.keys.map(key => (key.type === 'TOMLBare' ? key.name : key.value))]
      else if (parent?.type === 'TOMLArray') path = [...base, (parent.elements as unknown[]).indexOf(node)]
      if (path !== base) note(path, node.loc.start.line)
      open.push(path)
    },
    leaveNode() {
      open.pop()
    },
  })
  return lines
}
