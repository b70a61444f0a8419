/** Logins of operators by Cloudflare Access: the team, the application, and the roles of its people. */
import * as z from 'zod'
import { oneOf, type SettingsProblem, textThat } from '../messages.ts'
import { ROLES, type Role } from './named-tokens.ts'

/** Longer lists are groups that Access itself should make. */
const RULES_MAX = 50

/** Gives a role to everyone who meets its one condition. The strongest role counts where several rules match. */
const ruleSchema = z
  .strictObject({
    /** A group of the identity provider, as Access passes it on. */
    group: z.string().min(1).optional(),
    /** An address, or `*@example.com` for all addresses of a domain. */
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

/** How logins are checked. */
export interface AccessSettings {
  /** The issuer of logins, `https://team.cloudflareaccess.com`. */
  readonly issuer: string
  readonly audience: string
  readonly rules: readonly AccessRule[]
}

/** The parts of a login by which it gets a role. */
export interface AccessPerson {
  readonly email: string | null
  readonly service: string | null
  readonly groups: readonly string[]
}

type Variables = z.output<typeof accessSchema>

/** Returns null when no team is set. */
export function accessOf({ ACCESS_TEAM, ACCESS_AUD, ACCESS_ROLES }: Variables): AccessSettings | null {
  if (ACCESS_TEAM === '') return null
  const host = ACCESS_TEAM.includes('.') ? ACCESS_TEAM : `${ACCESS_TEAM}.cloudflareaccess.com`
  return { issuer: `https://${host}`, audience: ACCESS_AUD, rules: ACCESS_ROLES }
}

/** Without the audience, a login at any other application of the team would open the dashboard. */
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

/** Returns the strongest role that the rules give to a person, or null for none. */
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
