/** The bodies of the admin API as JSON Schema. The body of a change has the schema of the settings. */
import * as z from 'zod'
import { describedSchema, settingsGroups } from '../../settings/purposes/described.ts'
import { forecastBody, healthBody } from './bodies/health.ts'
import { alertsBody, auditBody, changesBody, previewLinkBody, problemBody, sessionBody } from './bodies/operators.ts'
import { historyBody, reportBody, reportsBody } from './bodies/reports.ts'
import { roomBody, roomsBody } from './bodies/room.ts'
import { newTokenBody, tokensBody } from './bodies/tokens.ts'

/** The bodies of answers, by their names in the description. */
export const BODIES = {
  Alerts: alertsBody,
  Audit: auditBody,
  Changes: changesBody,
  Forecast: forecastBody,
  Health: healthBody,
  History: historyBody,
  NewToken: newTokenBody,
  PreviewLink: previewLinkBody,
  Problem: problemBody,
  Report: reportBody,
  Reports: reportsBody,
  Room: roomBody,
  Rooms: roomsBody,
  Session: sessionBody,
  Tokens: tokensBody,
} as const satisfies Record<string, z.ZodType>

export type BodyName = keyof typeof BODIES

/** Returns all schemas of the description. */
export function schemas(): Readonly<Record<string, object>> {
  const bodies = Object.entries(BODIES).map(([name, body]) => [name, schemaOf(body)])
  return { ...Object.fromEntries(bodies), Change: { ...describedSchema(), 'x-groups': settingsGroups() } }
}

/**
 * Returns the schema of a body. A later version may add members to an answer, so the schema forbids none. `$schema` is
 * left out, because it belongs to whole documents only.
 */
function schemaOf(body: z.ZodType): object {
  const { $schema: _, ...schema } = z.toJSONSchema(body, {
    io: 'output',
    unrepresentable: 'any',
    override: ({ jsonSchema }) => {
      if (jsonSchema.additionalProperties === false) delete jsonSchema.additionalProperties
    },
  })
  return schema
}
