/**
 * Our own pages as templates in the language of Mustache. A template is compiled once, into pieces of text, variables
 * and sections. Variables that never change are filled in then. An operator's page is rendered by Mustache itself,
 * which supports more than we use.
 */
import Mustache from 'mustache'

/** Fills in a template. */
export type Render = (variables: object) => string

type Variables = Readonly<Record<string, unknown>>
type Piece = string | ((variables: Variables) => string)

/** A tag as Mustache has parsed it: its type, its name, its position, and for a section the tags in it. */
type Tag = readonly [type: string, name: string, start: number, end: number, inside?: readonly Tag[]]

/** A template that is parsed. Compiling it fills in the variables that never change. */
export type Template = (constants?: object) => Render

/**
 * Parses a template. A section shows its content once, unless its variable is empty; lists are not supported. Inside a
 * section of an object, the object's properties come first. A constant must not have the name of such a property.
 * Compiling throws an Error for any other tag.
 */
export function parsePage(text: string): Template {
  const tags = tagsOf(text, new Mustache.Writer())
  return (constants = {}) => {
    const whole = sequence(piecesOf(tags, Object.assign(Object.create(null), constants)))
    return variables => whole(variables as Variables)
  }
}

/** Compiles a template without constants. */
export function compilePage(text: string): Render {
  return parsePage(text)()
}

/**
 * A dot in a template names the variables object itself. The object has no prototype, so such a template would throw.
 * With this it shows an empty text.
 */
const NO_TEXT = { [Symbol.toPrimitive]: { value: () => '' } }

/**
 * Returns a function that fills in an operator's template. The template is parsed once, because Mustache would look it
 * up by its text at each render. The template sees only the given variables, not the properties that every object
 * inherits. An unescaped `message` is replaced by `messageHtml`: a text that an operator changes in a hurry must not
 * become HTML.
 */
export function parsed(text: string): Render {
  const writer = new Mustache.Writer()
  const tokens = withoutRawMessage(tagsOf(text, writer))
  return variables =>
    writer.renderTokens(
      tokens,
      new Mustache.Context(Object.assign(Object.create(null, NO_TEXT), variables)),
      undefined,
      text,
    )
}

/** The published types of Mustache allow only texts here, but its tags contain numbers and lists, too. */
function tagsOf(text: string, writer: Mustache.Writer): readonly Tag[] {
  return writer.parse(text) as unknown as readonly Tag[]
}

/**
 * Mustache adds more to a section than a `Tag` has, and that is kept. In a section of `message` a dot names the
 * message, too.
 */
function withoutRawMessage(tags: readonly Tag[], isInMessage = false): string[][] {
  const safe = tags.map(([type, name, start, end, inside, ...rest]: readonly unknown[]) => {
    if (type === '&' && (name === 'message' || (name === '.' && isInMessage))) return ['&', 'messageHtml', start, end]
    const isMessage = isInMessage || (type === '#' && name === 'message')
    const shown = Array.isArray(inside) ? withoutRawMessage(inside, isMessage) : inside
    return [type, name, start, end, shown, ...rest]
  })
  return safe as unknown as string[][]
}

function sequence(pieces: readonly Piece[]): (variables: Variables) => string {
  const merged: Piece[] = []
  let fixed: string[] = []
  for (const piece of pieces) {
    if (typeof piece === 'string') fixed.push(piece)
    else {
      // A joined text is one run of characters. A sum of texts would be put together again for each page.
      merged.push(fixed.join(''), piece)
      fixed = []
    }
  }
  merged.push(fixed.join(''))
  return variables => {
    let text = ''
    for (const piece of merged) text += typeof piece === 'string' ? piece : piece(variables)
    return text
  }
}

function piecesOf(tags: readonly Tag[], constants: Variables): Piece[] {
  return tags.flatMap(tag => piecesOfTag(tag, constants))
}

function piecesOfTag([type, name, , , inside = []]: Tag, constants: Variables): Piece | Piece[] {
  if (type === 'text') return name
  const read = lookUp(name)
  const isConstant = (name.split('.', 1)[0] ?? '') in constants
  if (type === 'name' || type === '&') {
    const show = type === 'name' ? escaped : raw
    return isConstant ? show(read(constants)) : variables => show(read(variables))
  }
  if (type !== '#' && type !== '^') throw new Error(`a page of ours cannot use the tag ${type} of Mustache, at ${name}`)
  if (isConstant) {
    const value = read(constants)
    if (Boolean(value) !== (type === '#')) return []
    return piecesOf(inside, type === '#' ? within(constants, value) : constants)
  }
  const shown = sequence(piecesOf(inside, constants))
  if (type === '^') return variables => (read(variables) ? '' : shown(variables))
  return variables => {
    const value = read(variables)
    return value ? shown(within(variables, value)) : ''
  }
}

/** Returns the variables inside a section. */
function within(variables: Variables, value: unknown): Variables {
  return typeof value === 'object' ? Object.assign(Object.create(variables), value) : variables
}

function raw(value: unknown): string {
  return String(value ?? '')
}

function lookUp(path: string): (variables: Variables) => unknown {
  const names = path.split('.')
  const [only = ''] = names
  if (names.length === 1) return variables => variables[only]
  return variables => {
    let value: unknown = variables
    for (const name of names) value = (value as Variables | null | undefined)?.[name]
    return value
  }
}

/** Returns a value as escaped text for HTML. */
export function escaped(value: unknown): string {
  if (value === null || value === undefined) return ''
  return typeof value === 'number' ? String(value) : Mustache.escape(String(value))
}
