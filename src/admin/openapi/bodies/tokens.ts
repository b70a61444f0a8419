/** The bodies of answers about operators' tokens. */
import * as z from 'zod'
import { ROLES } from '../../../settings/admin/named-tokens.ts'
import { momentOf, textOf } from './parts.ts'

const members = {
  from: z
    .literal(['dashboard', 'secret'])
    .meta({ description: 'Where it was made. The use of one in a secret is unknown' }),
  id: textOf('The beginning of its hash, by which it is revoked'),
  name: z.string(),
  role: z.literal(ROLES),
  endsAtMs: momentOf('When it ends'),
  madeBy: textOf('The admin who made it').nullable(),
  madeAtMs: momentOf('When it was made').nullable(),
  lastUsedAtMs: momentOf('Its last use, to the minute').nullable(),
  revokedAtMs: momentOf('When it was revoked').nullable(),
  revokedBy: z.string().nullable(),
}

export const tokensBody = z.strictObject({
  tokens: z
    .array(z.strictObject(members))
    .meta({ description: 'Newest first. A token that has ended is listed for 90 days more' }),
})

export const newTokenBody = z.strictObject({ ...members, token: textOf('The token, in this answer only') })
