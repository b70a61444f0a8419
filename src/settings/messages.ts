/** Messages about invalid settings. Each one names the path, the value and the range. */
import * as z from 'zod'
import { namesAt } from './suggest/known-names.ts'
import { nearest } from './suggest/nearest.ts'

/** One thing an operator must fix. */
export interface SettingsProblem {
  /** For example `rooms[0].bypass[1].cidr`. */
  readonly path: string
  /** For example `must be 1 to 10,000,000, got 0`. */
  readonly message: string
  /** The line of the file. Absent if there is no file, or no such line. */
  readonly line?: number
}

export const UNKNOWN_SETTING = 'is not a setting'

/** Thrown when a configuration is refused as a whole. */
export class SettingsError extends Error {
  override name = 'SettingsError'
  readonly problems: readonly SettingsProblem[]

  constructor(problems: readonly SettingsProblem[]) {
    super(problems.map(({ path, message, line }) => `${line ? `line ${line}: ` : ''}${path} ${message}`).join('\n'))
    this.problems = problems
  }

  /** Returns the same error with the line of each problem, if the file has such a line. */
  at(lineOf: (path: string) => number | null): SettingsError {
    return new SettingsError(
      this.problems.map(problem => {
        const line = lineOf(problem.path)
        return line === null ? problem : { ...problem, line }
      }),
    )
  }
}

/** A number in a range, whole unless `fractions` are allowed. */
export function numberIn(low: number, high: number, fractions: 'whole' | 'fractions' = 'whole') {
  const range = `${low.toLocaleString('en')} to ${high.toLocaleString('en')}`
  const expected = fractions === 'whole' ? `must be a whole number, ${range}` : `must be a number, ${range}`
  const error = (issue: { input?: unknown }) => `${expected}, got ${show(issue.input)}`
  const number = z.number({ error }).min(low, { error }).max(high, { error })
  return fractions === 'whole' ? number.int({ error }) : number
}

/** Text that matches a pattern. `what` completes the sentence "must be ...". */
export function textLike(pattern: RegExp, what: string) {
  const error = (issue: { input?: unknown }) => `must be ${what}, got ${show(issue.input)}`
  return z.string({ error }).regex(pattern, { error })
}

/** Text for which `test` returns true. `what` completes the sentence "must be ...". */
export function textThat(test: (text: string) => boolean, what: string) {
  const error = (issue: { input?: unknown }) => `must be ${what}, got ${show(issue.input)}`
  return z.string({ error }).refine(test, { error })
}

export function oneOf<const Values extends readonly (string | number)[]>(...values: Values) {
  const error = (issue: { input?: unknown }) => `must be ${values.map(show).join(' or ')}, got ${show(issue.input)}`
  return z.literal(values, { error })
}

export function flag() {
  return z.boolean({ error: issue => `must be true or false, got ${show(issue.input)}` })
}

/** The expected type of a setting, in words for operators. */
const KINDS: Readonly<Partial<Record<string, string>>> = {
  array: 'a list',
  object: 'an object of settings',
  record: 'an object of settings',
  string: 'text',
}

/**
 * The most problems in one answer. An operator does not read more. A list of 100,000 problems would exceed the largest
 * message between objects.
 */
const PROBLEMS_MAX = 100
const NAME_MAX = 100

/**
 * Turns zod's issues into problems, with paths as operators write them. With the schema, a problem with a misspelt name
 * suggests the right one.
 */
export function problemsOf(error: z.ZodError, at: string, schema?: z.ZodType): SettingsProblem[] {
  const issues = withoutLengths(error.issues)
  const problems = issues.slice(0, PROBLEMS_MAX).flatMap(issue => problemsOfIssue(issue, at, schema))
  if (problems.length <= PROBLEMS_MAX && issues.length <= PROBLEMS_MAX) return problems
  return [...problems.slice(0, PROBLEMS_MAX), { path: at, message: 'has more problems than these' }]
}

/**
 * Removes issues about the length of a value with the wrong type. If a list is expected, zod also checks the length of
 * a text, or of an object with a `length`.
 */
function withoutLengths(issues: readonly z.core.$ZodIssue[]): z.core.$ZodIssue[] {
  const wrong = new Set(issues.filter(({ code }) => code === 'invalid_type').map(({ path }) => pathOf('', path)))
  return issues.filter(({ code, path }) => (code !== 'too_big' && code !== 'too_small') || !wrong.has(pathOf('', path)))
}

function problemsOfIssue(issue: z.core.$ZodIssue, at: string, schema?: z.ZodType): SettingsProblem[] {
  const path = pathOf(at, issue.path)
  if (issue.code === 'unrecognized_keys') {
    const keys = issue.keys.slice(0, PROBLEMS_MAX + 1)
    const known = schema ? namesAt(schema, issue.path) : []
    return keys.map(key => ({ path: pathOf(path, [key.slice(0, NAME_MAX)]), message: unknownSetting(key, known) }))
  }
  if (issue.code === 'invalid_type' && issue.input === undefined) return [{ path, message: 'is required' }]
  if (issue.code === 'too_big' && issue.message.startsWith('Too big') && Array.isArray(issue.input)) {
    const count = issue.input.length.toLocaleString('en')
    return [{ path, message: `must have at most ${issue.maximum} entries, got ${count}` }]
  }
  if (issue.code === 'too_small' && issue.message.startsWith('Too small'))
    return [{ path, message: 'must not be empty' }]
  const kind = issue.code === 'invalid_type' && issue.message.startsWith('Invalid input') && KINDS[issue.expected]
  if (kind) return [{ path, message: `must be ${kind}, got ${show(issue.input)}` }]
  return [{ path, message: issue.message }]
}

function unknownSetting(key: string, known: readonly string[]): string {
  const meant = nearest(key, known)
  return meant === null ? UNKNOWN_SETTING : `${UNKNOWN_SETTING}: did you mean ${meant}?`
}

export function pathOf(at: string, path: readonly PropertyKey[]): string {
  return path.reduce<string>((whole, part) => {
    if (typeof part === 'number') return `${whole}[${part}]`
    return whole === '' ? String(part) : `${whole}.${String(part)}`
  }, at)
}

/** Returns a value as it was given, cut to 80 characters. */
export function show(value: unknown): string {
  const text = typeof value === 'number' ? String(value) : (JSON.stringify(value) ?? String(value))
  return text.length > 80 ? `${text.slice(0, 77)}...` : text
}

/**
 * True if a name is not one of JavaScript's own. Names are keys of plain objects, and every object already has a
 * `constructor`. Other built-in names have capitals or begin with `_`, which names here may not.
 */
export function isOwnName(name: string): boolean {
  return name !== 'constructor'
}
