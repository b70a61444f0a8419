/**
 * The tables of settings: which settings stand in which table, and what each is for. Defaults and ranges are not here:
 * they come from the schema.
 */
import * as z from 'zod'
import { deploymentSchema } from '../../src/settings/deployment.ts'
import type { Group } from '../../src/settings/purposes/groups.ts'
import { SITE } from '../../src/settings/purposes/site.ts'
import { VISITORS } from '../../src/settings/purposes/visitors.ts'
import { roomSchema } from '../../src/settings/schema.ts'

interface Table extends Pick<Group, 'prefix' | 'purposes'> {
  readonly schema: z.ZodType
}

const VARIABLES: Table = {
  schema: z.object({ ...deploymentSchema.shape }),
  prefix: '',
  purposes: {
    ORIGIN: 'where admitted requests go; none: the origin of the zone',
    ORIGIN_HOST_HEADER: "the `Host` that the origin sees: its own, or the visitor's",
    ORIGIN_ADDRESSES: 'from which the site calls itself',
    PASSTHROUGH_HOSTS: 'with `ORIGIN`: reach it without a room',
    JURISDICTION: 'where [all objects](#a-jurisdiction) live; none: near the visitors',
    ADMIN_HOST: 'where the dashboard and the admin API answer',
    ACCESS_TEAM: '[the team](operators.md#cloudflare-access) of Cloudflare Access whose logins open the dashboard',
    ACCESS_AUD: 'the audience tag of its application',
    ACCESS_ROLES: 'the roles of its people',
    'ACCESS_ROLES[].group': 'a group of the identity provider',
    'ACCESS_ROLES[].email': 'a person, or `*@example.com`',
    'ACCESS_ROLES[].service': 'the client id of a service token',
    'ACCESS_ROLES[].role': 'what these may do',
    ALERT_PRIVATE_RECEIVERS:
      'any text but `0` and `false` lets [alerts](alerts.md) go to private addresses, and over http',
    CONTROL_PREFIX: 'the path under which the routes of the room lie',
    TRUSTED_IP_HEADER: 'the header with the address of the visitor',
    DEBUG: 'any text but `0` and `false` adds [a trace](troubleshooting.md#one-request) to answers and the log',
  },
}

/** The tables of settings. A page of the docs contains the name of a table at the place of the table. */
export const TABLES: Readonly<Record<string, Table>> = {
  variables: VARIABLES,
  ...Object.fromEntries(
    Object.entries({ ...VISITORS, ...SITE }).map(([name, group]) => [name, { schema: roomSchema, ...group }]),
  ),
}
