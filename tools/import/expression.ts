/**
 * Expressions of Cloudflare's rules (wirefilter), as far as bypass rules can say the same. An expression becomes
 * alternatives, each of which is a list of conditions that must all hold.
 */

type Comparison = 'eq' | 'in' | 'contains' | 'wildcard' | 'starts_with' | 'ends_with' | 'is'

export interface Condition {
  readonly field: string
  readonly operator: Comparison
  readonly values: readonly string[]
}

export class UnknownExpression extends Error {
  override name = 'UnknownExpression'
}

/** A rule with more alternatives would become too many bypass rules. */
const ALTERNATIVES_MAX = 30
const TOKEN =
  /\s*(?:(\()|(\))|(\{)|(\})|"((?:[^"\\]|\\.)*)"|(&&|\|\||==|!=|,)|([\da-fA-F:]*:[\da-fA-F:.]*(?:\/\d+)?|[A-Za-z_][\w.]*(?:\["[^"]*"\])?(?:\[\*\])?|\d[\d./]*))/y

/** Throws UnknownExpression, whose message names the part that has no counterpart. */
export function alternativesOf(expression: string): readonly (readonly Condition[])[] {
  const parser = new Parser(tokensOf(expression))
  const alternatives = parser.any()
  if (!parser.isAtEnd) throw new UnknownExpression(parser.next().text)
  if (alternatives.length > ALTERNATIVES_MAX) throw new UnknownExpression('more than 30 alternatives')
  return alternatives
}

interface Token {
  readonly text: string
  readonly isText: boolean
}

function tokensOf(expression: string): Token[] {
  const tokens: Token[] = []
  let at = 0
  const text = expression.trimEnd()
  while (at < text.length) {
    TOKEN.lastIndex = at
    const match = TOKEN.exec(text)
    if (!match) throw new UnknownExpression(text.slice(at, at + 40).trim())
    const quoted = match[5]
    tokens.push(
      quoted === undefined
        ? { text: match[0].trim(), isText: false }
        : { text: quoted.replace(/\\(.)/g, '$1'), isText: true },
    )
    at = TOKEN.lastIndex
  }
  return tokens
}

class Parser {
  readonly #tokens: readonly Token[]
  #at = 0

  constructor(tokens: readonly Token[]) {
    this.#tokens = tokens
  }

  get isAtEnd(): boolean {
    return this.#at >= this.#tokens.length
  }

  next(): Token {
    const token = this.#tokens[this.#at++]
    if (!token) throw new UnknownExpression('its end')
    return token
  }

  /** Alternatives, with `or` between them. */
  any(): (readonly Condition[])[] {
    const found = this.#all()
    while (this.#takes('or', '||')) found.push(...this.#all())
    return found
  }

  #all(): (readonly Condition[])[] {
    let found = this.#one()
    while (this.#takes('and', '&&')) {
      const more = this.#one()
      found = found.flatMap(conditions => more.map(others => [...conditions, ...others]))
    }
    return found
  }

  #one(): (readonly Condition[])[] {
    if (this.#takes('(')) {
      const inner = this.any()
      this.#expect(')')
      return inner
    }
    const { text } = this.next()
    if (text === 'starts_with' || text === 'ends_with') return [[this.#call(text)]]
    if (text === 'any') return [[this.#anyOf()]]
    if (text === 'not') throw new UnknownExpression('not')
    return [[this.#comparison(text)]]
  }

  #call(operator: 'starts_with' | 'ends_with'): Condition {
    this.#expect('(')
    const field = this.next().text
    this.#expect(',')
    const values = [this.next().text]
    this.#expect(')')
    return { field, operator, values }
  }

  #anyOf(): Condition {
    this.#expect('(')
    const found = this.#comparison(this.next().text)
    this.#expect(')')
    return found
  }

  #comparison(field: string): Condition {
    const token = this.#tokens[this.#at]
    const operator = token?.text === '==' ? 'eq' : token?.text
    if (operator === 'eq' || operator === 'contains' || operator === 'wildcard') {
      this.#at++
      return { field, operator, values: [this.next().text] }
    }
    if (operator === 'in') {
      this.#at++
      return { field, operator, values: this.#set() }
    }
    // If the value of a field is true or false, the field has no operator.
    const isAlone = token === undefined || token.isText || ['and', 'or', '&&', '||', ')'].includes(token.text)
    if (isAlone && /^[a-z_.]+$/.test(field)) return { field, operator: 'is', values: [] }
    throw new UnknownExpression(`${field} ${token?.text ?? ''}`.trim())
  }

  #set(): string[] {
    const values: string[] = []
    this.#expect('{')
    while (!this.#takes('}')) {
      const { text, isText } = this.next()
      if (isText || text !== ',') values.push(text)
    }
    return values
  }

  #takes(...texts: readonly string[]): boolean {
    const token = this.#tokens[this.#at]
    if (!token || token.isText || !texts.includes(token.text)) return false
    this.#at++
    return true
  }

  #expect(text: string): void {
    if (!this.#takes(text)) throw new UnknownExpression(this.next().text)
  }
}
