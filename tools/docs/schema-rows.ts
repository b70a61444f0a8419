/**
 * The settings of a zod schema as rows: path, default and allowed values. The schema is the only source. A default is
 * what the schema makes of a missing value, and the allowed values are the words in which it refuses a wrong one.
 */
import * as z from 'zod'
import { wrapped } from '../../src/settings/suggest/wrapped.ts'

export interface Row {
  /** For example `rate_limits[].match.paths`. */
  readonly path: string
  /** The default as Markdown, or `required`. */
  readonly preset: string
  /** The allowed values, as Markdown. */
  readonly values: string
}

/** Values that are wrong for every setting that is a text or a number. */
const WRONG_TYPES = [{}, true]
/** The default of an object: its settings have defaults of their own. */
const OBJECT = 'an object'
/** A text that is longer than any setting allows. */
const TOO_LONG = 'x'.repeat(100_000)

/** Returns a row for the schema and for each setting inside of it. A schema without a path has no row of its own. */
export function rowsOf(schema: z.ZodType, path = ''): readonly Row[] {
  const inner = unwrap(schema)
  if (inner instanceof z.ZodDiscriminatedUnion) return rowsOfChoice(schema, inner, path)
  const element = inner instanceof z.ZodArray ? unwrap(inner.element as z.ZodType) : inner
  if (!(element instanceof z.ZodObject)) {
    const preset = presetOf(schema)
    return [{ path, preset: preset === OBJECT ? 'none' : preset, values: valuesOf(inner) }]
  }
  const at = element === inner ? path : `${path}[]`
  const inside = Object.entries(element.shape).flatMap(([name, one]) => rowsOf(one as z.ZodType, joined(at, name)))
  const preset = presetOf(schema)
  // An object with a default has no row of its own: the rows of its settings are enough.
  if (path === '' || preset === OBJECT) return inside
  return [{ path, preset, values: element === inner ? OBJECT : list(schema, '') }, ...inside]
}

/** One of several objects, distinguished by one of their settings. */
function rowsOfChoice(schema: z.ZodType, choice: z.ZodDiscriminatedUnion, path: string): readonly Row[] {
  const { discriminator } = choice.def
  const shapes = choice.options.map(option => (option as z.ZodObject).shape as Record<string, z.ZodType>)
  const names = shapes.map(shape => valuesOf(shape[discriminator] as z.ZodType))
  const fallback = (schema.safeParse(undefined).data as Record<string, unknown> | undefined)?.[discriminator]
  const own = { path: joined(path, discriminator), preset: written(fallback), values: names.join(', ') }
  const others = shapes.flatMap(shape =>
    Object.entries(shape).flatMap(([name, one]) => (name === discriminator ? [] : rowsOf(one, joined(path, name)))),
  )
  return [own, ...others]
}

/** Returns the schema of the value that an operator writes, without defaults and later changes to it. */
function unwrap(schema: z.ZodType): z.ZodType {
  if (schema instanceof z.ZodPipe) {
    const { in: from, out } = schema.def
    return unwrap((from instanceof z.ZodTransform ? out : from) as z.ZodType)
  }
  const inner = wrapped(schema)
  if (inner) return unwrap(inner)
  // A text that may be empty is described by what else it may be.
  if (schema instanceof z.ZodUnion && schema.options.length === 2) {
    const [first, second] = schema.options as readonly [z.ZodType, z.ZodType]
    if (second instanceof z.ZodLiteral && second.safeParse('').success) return unwrap(first)
  }
  return schema
}

/** Returns the default as Markdown. */
function presetOf(schema: z.ZodType): string {
  const { success, data } = schema.safeParse(undefined)
  if (!success) return 'required'
  return data === undefined ? 'optional' : written(data)
}

function written(value: unknown): string {
  if (value === null || value === undefined || value === '') return 'none'
  if (typeof value === 'number') return value.toLocaleString('en')
  if (!Array.isArray(value)) return typeof value === 'object' ? OBJECT : `\`${value}\``
  return value.length === 0 ? 'none' : value.map(one => written((one as { name?: unknown }).name)).join(', ')
}

function valuesOf(schema: z.ZodType): string {
  const inner = unwrap(schema)
  if (inner instanceof z.ZodLiteral) return [...inner.values].map(value => `\`${value}\``).join(', ')
  if (inner instanceof z.ZodBoolean) return '`true`, `false`'
  if (inner instanceof z.ZodArray) return list(inner, valuesOf(inner.element as z.ZodType))
  if (inner instanceof z.ZodRecord) return `names with ${valuesOf(inner.valueType as z.ZodType)}`
  const messages = [...WRONG_TYPES, TOO_LONG].flatMap(
    wrong => inner.safeParse(wrong, { reportInput: true }).error?.issues.map(({ message }) => message) ?? [],
  )
  const said = [...new Set(messages.map(inShort))]
  const known = said.filter(text => text !== 'text')
  return known.length > 0 ? known.join(', ') : 'text'
}

/** A list, with its greatest length. */
function list(schema: z.ZodType, element: string): string {
  const { maxItems } = z.toJSONSchema(unwrap(schema), { io: 'input', unrepresentable: 'any' })
  const length = maxItems === undefined ? 'a list' : `a list, up to ${maxItems}`
  return element === '' ? length : `${length}: ${element}`
}

/** Returns what a refusal asks for, without the value that was refused and with one example. */
function inShort(message: string): string {
  if (message.startsWith('Invalid input: expected string')) return 'text'
  return message
    .replace(/, got .*$/s, '')
    .replace(/^must (be|have) /, '')
    .replace(/^at most /, 'up to ')
    .replace(/^a whole number, /, 'whole, ')
    .replace(/^a number, /, '')
    .replace(/: .*$/s, '')
    .replace(/ that (begins with|is dropped) [^,]*/, '')
    .replace(/, without scheme and port$/, '')
    .replace(/( like \S+) or \S+/, '$1')
    .replaceAll('*', '\\*')
}

function joined(path: string, name: string): string {
  return path === '' ? name : `${path}.${name}`
}
