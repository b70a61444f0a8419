/** Bypass rules in the form that the gate uses. */
import { own } from '../../core/own.ts'
import type { Readings } from '../../core/path.ts'
import { mayHave, surelyHas } from '../../core/query.ts'
import { AddressRanges } from '../bypass/addresses.ts'
import { categoryTest, SEARCH_ENGINES } from '../bypass/bots.ts'
import { expandedRule } from '../bypass/presets.ts'
import type { BypassRule, Exception } from '../bypass/rule.ts'
import { bypassPath, pathRule } from '../patterns.ts'

/** The facts that a bypass rule may check. None of them is a guess: a fact that is not known is null. */
export interface BypassFacts {
  readonly method: string
  readonly readings: Readings
  /** The query as the origin gets it, or null if there is none. */
  readonly query: string | null
  /** Returns a header as the origin gets it, or null if the origin does not get it. */
  header(name: string): string | null
  /** Returns a header as the visitor sent it, even if the origin does not get it. */
  sentHeader(name: string): string | null
  readonly cookies: ReadonlyMap<string, readonly string[]>
  readonly address: string | null
  readonly country: string | null
  /** Cloudflare's category of a bot whose identity it has verified. */
  readonly botCategory: string | null
}

export interface Bypass {
  matchesPath(readings: Readings): boolean
  matchesFacts(facts: BypassFacts): boolean
}

/**
 * A condition of a rule. `holds` is for rules, which let requests through: it is true only if every server would agree.
 * `mayHold` is for exceptions, which prevent that: it is true if any server might agree.
 */
interface Condition {
  holds(facts: BypassFacts): boolean
  mayHold(facts: BypassFacts): boolean
}

type Makers<Settings> = {
  readonly [Name in keyof Settings]-?: (value: NonNullable<Settings[Name]>) => Condition
}

const ofException: Makers<Exception> = {
  path: pattern => {
    const [strict, generous] = [bypassPath(pattern), pathRule([pattern], { ignoreCase: true })]
    return { holds: ({ readings }) => strict(readings), mayHold: ({ readings }) => generous.matches(readings) }
  },
  methods: methods => certain(({ method }) => methods.includes(method)),
  query: parameter => ({
    holds: ({ query }) => surelyHas(query, parameter),
    mayHold: ({ query }) => mayHave(query, parameter),
  }),
  header: ({ name, value }) => ({
    holds: facts => hasValue(facts.header(name), value),
    mayHold: facts => contains(facts.sentHeader(name), value ?? ''),
  }),
  cookie: ({ name }) => {
    // Programs differ in how they decode the name of a cookie. So any encoded cookie may be the one.
    const isThere = (sent: string | null) => contains(sent, name) || contains(sent, '%')
    return certain(facts => isThere(facts.sentHeader('Cookie')))
  },
  user_agent: ({ contains: text }) => ({
    holds: facts => contains(facts.header('User-Agent'), text),
    mayHold: facts => contains(facts.sentHeader('User-Agent'), text),
  }),
  cidr: list => {
    const ranges = new AddressRanges(list)
    return {
      holds: ({ address }) => ranges.has(address),
      mayHold: ({ address }) => address === null || ranges.has(address),
    }
  },
  country: list => ({
    holds: ({ country }) => country !== null && list.includes(country),
    mayHold: ({ country }) => country === null || list.includes(country),
  }),
}

const ofRule: Makers<Omit<BypassRule, 'preset' | 'path'>> = {
  ...ofException,
  cookie: ({ name, value }) => certain(({ cookies }) => (cookies.get(name) ?? []).some(one => hasValue(one, value))),
  without_query: () => certain(({ query }) => query === null || query === ''),
  verified_crawler: () => ofCategory([SEARCH_ENGINES]),
  verified_bot: ofCategory,
  not: exceptions => {
    const compiled = exceptions.map(exception => conditionsOf(exception, ofException))
    return certain(facts => !compiled.some(conditions => conditions.every(condition => condition.mayHold(facts))))
  },
}

/** Compiles the rules of a room. Its sites lie below these paths. */
export function compileBypass(rules: readonly BypassRule[], below: readonly string[]): readonly Bypass[] {
  return rules.flatMap(rule => expandedRule(rule, below)).map(compileRule)
}

function compileRule({ path, ...rule }: BypassRule): Bypass {
  const conditions = conditionsOf(rule, ofRule)
  return {
    matchesPath: bypassPath(path ?? null),
    matchesFacts: facts => conditions.every(condition => condition.holds(facts)),
  }
}

/**
 * Returns the conditions of a rule. If a newer room sends a condition that this edge does not know, the condition never
 * holds. Without the condition, the rule would let more requests through than the operator wants.
 */
function conditionsOf(settings: object, makers: object): readonly Condition[] {
  return Object.entries(settings).flatMap(([name, value]) => {
    if (value === undefined) return []
    const make = own(makers as Record<string, (given: unknown) => Condition>, name)
    return [make?.(value) ?? { holds: () => false, mayHold: () => true }]
  })
}

function ofCategory(categories: readonly string[]): Condition {
  const isWanted = categoryTest(categories)
  return certain(({ botCategory }) => isWanted(botCategory))
}

function certain(test: (facts: BypassFacts) => boolean): Condition {
  return { holds: test, mayHold: test }
}

function hasValue(value: string | null, wanted: string | undefined): boolean {
  return value !== null && (wanted === undefined || value === wanted)
}

/** True if a text contains another, whatever the case. */
function contains(whole: string | null, part: string): boolean {
  return whole?.toLowerCase().includes(part.toLowerCase()) ?? false
}
