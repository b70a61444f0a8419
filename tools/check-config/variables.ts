/** The names of the variables of a deployment: a misspelt one would be ignored without a word. */
import { deploymentSchema } from '../../src/settings/deployment.ts'
import type { SettingsProblem } from '../../src/settings/messages.ts'
import { nearest } from '../../src/settings/suggest/nearest.ts'
import { OPTIONAL_SECRETS } from '../serving/secrets.ts'

const SECRETS: readonly string[] = ['ROOM_KEYS', 'ADMIN_TOKEN', ...OPTIONAL_SECRETS]
const VARIABLES = ['ROOMS', ...Object.keys(deploymentSchema.shape)]

/** Returns a problem for each misspelt name. */
export function misspelt(vars: Readonly<Record<string, unknown>>): readonly SettingsProblem[] {
  return unknownIn(vars).flatMap(path => {
    const meant = nearest(path, [...VARIABLES, ...SECRETS])
    return meant === null ? [] : [{ path, message: `is not a variable: did you mean ${meant}?` }]
  })
}

export function adviceOnVariables(vars: Readonly<Record<string, unknown>>): readonly string[] {
  const foreign = unknownIn(vars).map(name => `${name} is no variable of antesala, and does nothing here`)
  const secrets = SECRETS.filter(name => vars[name] !== undefined)
  return [
    ...foreign,
    ...secrets.map(name => `${name} is a secret: take it out of the file, and set it by wrangler secret put ${name}`),
  ]
}

function unknownIn(vars: Readonly<Record<string, unknown>>): readonly string[] {
  return Object.keys(vars).filter(name => !VARIABLES.includes(name) && !SECRETS.includes(name))
}
