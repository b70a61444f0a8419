import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path/posix'
import { describe, expect, it } from 'vitest'
import { parseAst } from 'vitest/node'

const SRC = new URL('../../src', import.meta.url).pathname

const FILE_LINES_MAX = 250
const FUNCTION_LINES_MAX = 60
const PARAMETERS_MAX = 4

/** Offenders from before these bounds, as `file` or `file function`. The lists only ever get shorter. */
const LONG_FILES: readonly string[] = ['admin/openapi.ts']
const LONG_FUNCTIONS: readonly string[] = ['admin/openapi.ts openApi']
const WIDE_FUNCTIONS: readonly string[] = [
  'core/health/breaker.ts afterWindow',
  'core/health/breaker.ts opened',
  'core/health/breaker.ts openedFirst',
  'core/health/effect.ts healthView',
  'core/health/health.ts changed',
  'core/health/health.ts judged',
  'core/health/health.ts move',
  'room/health/health.ts probed',
]

/** A node of the syntax tree, as far as this test looks at it. */
interface Node {
  readonly type: string
  readonly start: number
  readonly end: number
  readonly params?: readonly unknown[]
  readonly id?: { readonly name?: string } | null
  readonly key?: { readonly name?: string }
}

interface Func {
  /** The file, and the name of the function or of what contains it. */
  readonly name: string
  readonly lines: number
  readonly parameters: number
}

const FUNCTIONS = new Set(['FunctionDeclaration', 'FunctionExpression', 'ArrowFunctionExpression'])

const files = readdirSync(SRC, { recursive: true, encoding: 'utf8' })
  .filter(file => file.endsWith('.ts'))
  .map(file => ({ file, code: readFileSync(join(SRC, file), 'utf8') }))

const functions = files.flatMap(({ file, code }) => functionsIn(file, code))

/** Returns the offenders that are not listed. */
function unlisted(found: readonly string[], listed: readonly string[]): string[] {
  return [...new Set(found)].filter(name => !listed.includes(name))
}

describe('src', () => {
  it('has no file of more than 250 lines', () => {
    const long = files.filter(({ code }) => linesIn(code) > FILE_LINES_MAX).map(({ file }) => file)
    expect(unlisted(long, LONG_FILES)).toEqual([])
  })

  it('has no function of more than 60 lines', () => {
    expect(functions.length).toBeGreaterThan(1_000)
    const long = functions.filter(({ lines }) => lines > FUNCTION_LINES_MAX).map(({ name }) => name)
    expect(unlisted(long, LONG_FUNCTIONS)).toEqual([])
  })

  it('has no function of more than four parameters', () => {
    const wide = functions.filter(({ parameters }) => parameters > PARAMETERS_MAX).map(({ name }) => name)
    expect(unlisted(wide, WIDE_FUNCTIONS)).toEqual([])
  })
})

function linesIn(code: string): number {
  return code.split('\n').length - 1
}

function functionsIn(file: string, code: string): Func[] {
  const found: Func[] = []
  const visit = (value: unknown, owner: string): void => {
    if (Array.isArray(value)) for (const part of value) visit(part, owner)
    else if (isNode(value)) {
      const name = value.id?.name ?? value.key?.name ?? owner
      if (FUNCTIONS.has(value.type)) {
        const lines = linesIn(code.slice(value.start, value.end)) + 1
        found.push({ name: `${file} ${name}`, lines, parameters: value.params?.length ?? 0 })
      }
      for (const part of Object.values(value)) visit(part, name)
    }
  }
  visit(parseAst(code, { lang: 'ts' }), '')
  return found
}

function isNode(value: unknown): value is Node {
  return typeof value === 'object' && value !== null && 'type' in value && typeof value.type === 'string'
}
