/** Logins of operators by Cloudflare Access: the team, the application, and the roles of its people. */
import * as z from 'zod'
import { oneOf, type SettingsProblem, textThat } from '../messages.ts'
import { ROLES, type Role } from './named-tokens.ts'

/** The most rules. A longer list should be a group in Access itself. */
const RULES_MAX = 50

/**
 * A rule gives a role to each person who meets its one condition. If several rules match, the strongest role counts.
 */
const ruleSchema = z
  .strictObject({
    /** A group of the identity provider, as Access passes it on. */
    group: z.string().min(1).optional(),
    /** An email address, or `*@example.com` for all addresses of a domain. */
    email: textThat(
      text => /^[^@\s]+@[^@\s*]+$/.test(text),
      'an address, or *@example.com for a whole domain',
    ).optional(),
    /** The client id of a service token. */
    service: z.string().min(1).optional(),
    role: oneOf(...ROLES),
  })
  .refine(({ group, email, service }) => [group, email, service].filter(text => text !== undefined).length === 1, {
    error: 'must have exactly one of group, email and service',
  })

export const accessSchema = z.object({
  ACCESS_TEAM: textThat(text => /^[a-z0-9-]+(\.cloudflareaccess\.com)?$/.test(text), "a team's name")
    .or(z.literal(''))
    .default(''),
  ACCESS_AUD: textThat(text => /^[0-9a-f]{64}$/.test(text), "an application's audience tag, 64 hexadecimal digits")
    .or(z.literal(''))
    .default(''),
  ACCESS_ROLES: z.array(ruleSchema).max(RULES_MAX).default([]),
})

type AccessRule = z.output<typeof ruleSchema>

/** The settings by which logins are checked. */
export interface AccessSettings {
  /** The issuer of logins, `https://team.cloudflareaccess.com`. */
  readonly issuer: string
  readonly audience: string
  readonly rules: readonly AccessRule[]
}

/** The parts of a login on which its role depends. */
export interface AccessPerson {
  readonly email: string | null
  readonly service: string | null
  readonly groups: readonly string[]
}

type Variables = z.output<typeof accessSchema>

/** Returns the settings of logins, or null if no team is set. */
export function accessOf({ ACCESS_TEAM, ACCESS_AUD, ACCESS_ROLES }: Variables): AccessSettings | null {
  if (ACCESS_TEAM === '') return null
  const host = ACCESS_TEAM.includes('.') ? ACCESS_TEAM : `${ACCESS_TEAM}.cloudflareaccess.com`
  return { issuer: `https://${host}`, audience: ACCESS_AUD, rules: ACCESS_ROLES }
}

/**
 * Returns the problems with the settings of logins. Without the audience, a login at any other application of the team
 * would open the dashboard.
 */
export function accessProblems({ ACCESS_TEAM, ACCESS_AUD, ACCESS_ROLES }: Variables): SettingsProblem[] {
  if (ACCESS_TEAM === '' && ACCESS_AUD === '' && ACCESS_ROLES.length === 0) return []
  const needed = 'is required where another ACCESS_ variable is set'
  const missing = [
    ['ACCESS_TEAM', ACCESS_TEAM === ''],
    ['ACCESS_AUD', ACCESS_AUD === ''],
    ['ACCESS_ROLES', ACCESS_ROLES.length === 0],
  ] as const
  return missing.flatMap(([path, isMissing]) => (isMissing ? [{ path, message: needed }] : []))
}

/** Returns the strongest role that the rules give to a person, or null for no role. */
export function roleOfPerson(rules: readonly AccessRule[], person: AccessPerson): Role | null {
  const given = rules.filter(rule => matches(rule, person)).map(({ role }) => role)
  return ROLES.findLast(role => given.includes(role)) ?? null
}

function matches({ group, email, service }: AccessRule, person: AccessPerson): boolean {
  if (group !== undefined) return person.groups.includes(group)
  if (service !== undefined) return person.service === service
  const own = person.email?.toLowerCase()
  const wanted = email?.toLowerCase()
  if (own === undefined || wanted === undefined) return false
  return wanted.startsWith('*@') ? own.slice(own.lastIndexOf('@')) === wanted.slice(1) : own === wanted
}
