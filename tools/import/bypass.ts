/** Makes bypass rules from the rules of a Cloudflare waiting room. */

import { alternativesOf, type Condition, UnknownExpression } from './expression.ts'
import type { CloudflareRule } from './read.ts'

export type Bypass = Readonly<Record<string, unknown>>

/** Characters with a special meaning in a path pattern. */
const SPECIAL = /[*?+:{}()\\[\]]/

/** Returns the bypass rules. If there are none, returns a text: what was not carried over, and what to do. */
export function bypassFrom({ action, expression, enabled }: CloudflareRule): readonly Bypass[] | string {
  if (!enabled) return 'it is disabled. Write it anew if you need it'
  if (action !== 'bypass_waiting_room') return `its action is ${action}, which has no counterpart`
  try {
    return alternativesOf(expression).flatMap(bypassOf)
  } catch (error) {
    if (!(error instanceof UnknownExpression)) throw error
    return `its expression has a part without counterpart: ${error.message}. Write bypass rules by hand (docs/configuration.md#bypass)`
  }
}

/** An alternative becomes one rule. If it has a list of paths, it becomes several rules. */
function bypassOf(conditions: readonly Condition[]): Bypass[] {
  let rules: Bypass[] = [{}]
  for (const condition of conditions) {
    const variants = partsOf(condition)
    rules = rules.flatMap(rule =>
      variants.map(part => {
        const [name = ''] = Object.keys(part)
        if (name in rule) throw new UnknownExpression(`${condition.field} twice`)
        return { ...rule, ...part }
      }),
    )
  }
  return rules
}

function partsOf(condition: Condition): Bypass[] {
  const { field, operator, values } = condition
  const [value = ''] = values
  const isList = operator === 'eq' || operator === 'in'
  switch (field) {
    case 'http.request.uri.path':
      return values.flatMap(text => pathsOf(operator, text)).map(path => ({ path }))
    case 'ip.src':
      if (isList) return [{ cidr: values.map(range => (range.includes('/') ? range : `${range}${suffixOf(range)}`)) }]
      break
    case 'http.request.method':
      if (isList) return [{ methods: values }]
      break
    case 'ip.src.country':
    case 'ip.geoip.country':
      if (isList) return [{ country: values }]
      break
    case 'http.user_agent':
      if (operator === 'contains') return [{ user_agent: { contains: value } }]
      break
    case 'cf.client.bot':
      throw new UnknownExpression(
        `${field}, which is every known bot; verified_crawler and verified_bot choose among them`,
      )
    default: {
      const header = /^http\.request\.headers\["([\w-]+)"\]\[\*\]$/.exec(field)?.[1]
      if (header !== undefined && operator === 'eq') return [{ header: { name: header, value } }]
    }
  }
  throw new UnknownExpression(`${field} ${operator === 'is' ? '' : operator}`.trim())
}

function pathsOf(operator: Condition['operator'], text: string): string[] {
  if (SPECIAL.test(operator === 'wildcard' ? text.replaceAll('*', '') : text))
    throw new UnknownExpression(`the path ${text}`)
  switch (operator) {
    case 'eq':
    case 'in':
    case 'wildcard':
      return [text]
    case 'starts_with':
      return [`${text}*`]
    case 'ends_with':
      return text.startsWith('/') ? [text, `/*${text}`] : [`/*${text}`]
    case 'contains':
      return text.startsWith('/') ? [`${text}*`, `/*${text}*`] : [`/*${text}*`]
    case 'is':
      throw new UnknownExpression('a path without comparison')
  }
}

function suffixOf(address: string): string {
  return address.includes(':') ? '/128' : '/32'
}
