import { describe, expect, it } from 'vitest'
import { filesOf, type SourceFile, walk } from '../support/source.ts'

const FILE_LINES_MAX = 250
const FUNCTION_LINES_MAX = 60
const PARAMETERS_MAX = 4

/** Offenders from before this bound, as `file function`. The list only ever gets shorter. */
const WIDE_FUNCTIONS: readonly string[] = [
  'core/health/breaker.ts afterWindow',
  'core/health/breaker.ts opened',
  'core/health/breaker.ts openedFirst',
  'core/health/effect.ts healthSnapshot',
  'core/health/health.ts changed',
  'core/health/health.ts judged',
  'core/health/health.ts move',
  'room/health/health.ts probed',
]

interface Func {
  /** The file, and the name of the function or of what contains it. */
  readonly name: string
  readonly lines: number
  readonly parameters: number
}

const FUNCTIONS = new Set(['FunctionDeclaration', 'FunctionExpression', 'ArrowFunctionExpression'])

const files = filesOf('src', ['.ts'])

const functions = files.flatMap(functionsIn)

/** Returns the offenders that are not listed. */
function unlisted(found: readonly string[], listed: readonly string[]): string[] {
  return [...new Set(found)].filter(name => !listed.includes(name))
}

describe('src', () => {
  it('has no file of more than 250 lines', () => {
    const long = files.filter(({ code }) => linesIn(code) > FILE_LINES_MAX).map(nameOf)
    expect(long).toEqual([])
  })

  it('has no function of more than 60 lines', () => {
    expect(functions.length).toBeGreaterThan(1_000)
    const long = functions.filter(({ lines }) => lines > FUNCTION_LINES_MAX).map(({ name }) => name)
    expect([...new Set(long)]).toEqual([])
  })

  it('has no function of more than four parameters', () => {
    const wide = functions.filter(({ parameters }) => parameters > PARAMETERS_MAX).map(({ name }) => name)
    expect(unlisted(wide, WIDE_FUNCTIONS)).toEqual([])
  })
})

function linesIn(code: string): number {
  return code.split('\n').length - 1
}

function functionsIn(file: SourceFile): Func[] {
  const found: Func[] = []
  walk(
    file,
    (node, owner) => {
      const name = nameIn(node.id) ?? nameIn(node.key) ?? owner
      if (FUNCTIONS.has(node.type)) {
        const lines = linesIn(file.code.slice(node.start, node.end)) + 1
        const { length } = node.params as readonly unknown[]
        found.push({ name: `${nameOf(file)} ${name}`, lines, parameters: length })
      }
      return name
    },
    '',
  )
  return found
}

/** The path below `src`. */
function nameOf({ path }: SourceFile): string {
  return path.slice('src/'.length)
}

function nameIn(part: unknown): string | undefined {
  return (part as { readonly name?: string } | null | undefined)?.name
}
