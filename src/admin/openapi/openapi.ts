/** The description of the admin API (OpenAPI 3.1). */
import { leastRole } from '../access/roles.ts'
import { ALERT_PATHS } from './alerts.ts'
import { answers, problem } from './answers.ts'
import { AUDIT_PATHS } from './audit.ts'
import { LIVE_PATHS } from './live.ts'
import { operationOf } from './operations.ts'
import { PREVIEW_LINK_PATHS, previewPaths } from './preview.ts'
import { REPORT_PATHS } from './reports.ts'
import { schemas } from './schemas.ts'
import { TOKEN_PATHS } from './tokens.ts'

type PathItem = { readonly parameters?: unknown } & Readonly<Record<string, object>>

const name = { name: 'name', in: 'path', required: true, schema: { type: 'string' } }
const sid = { name: 'sid', in: 'path', required: true, schema: { type: 'string' } }
const ifMatch = {
  name: 'If-Match',
  in: 'header',
  description: 'The ETag that was read, or several: the change is refused with 412 when the room has none of them now.',
  schema: { type: 'string' },
}

const PATHS = {
  '/rooms': {
    get: {
      summary: 'All rooms with their live figures; one that does not answer has a name and an `error` only',
      responses: answers({
        200: {
          description:
            'Rooms; `you`: name and role of the token, and the settings it may change; `notices`: what is wrong with ' +
            'the deployment, in words',
        },
      }),
    },
  },
  '/rooms/{name}': {
    parameters: [name],
    get: {
      summary: 'One room',
      responses: answers({ 200: { description: 'The room' }, 404: missing() }),
    },
    patch: {
      summary: 'Change settings live, as a whole or not at all',
      description:
        'Settings that have the value already stay as they are. A change without effect makes no version and no ' +
        'entry in the log. `remaining` by itself begins the budget anew, also with the number that it had.',
      parameters: [ifMatch],
      requestBody: {
        required: true,
        content: { 'application/json': { schema: { $ref: '#/components/schemas/Change' } } },
      },
      responses: answers({
        ...changed(),
        413: { description: 'The body is too large', ...problem },
        415: { description: 'The body has a type that is not JSON', ...problem },
      }),
    },
  },
  '/rooms/{name}/overrides': {
    parameters: [name],
    delete: {
      summary: 'Back to the deployed file',
      parameters: [ifMatch],
      responses: answers(changed()),
    },
  },
  '/rooms/{name}/overrides/{setting}': {
    parameters: [name, { name: 'setting', in: 'path', required: true, schema: { type: 'string' } }],
    delete: {
      summary: 'One setting back to the deployed file',
      parameters: [ifMatch],
      responses: answers(changed()),
    },
  },
  '/rooms/{name}/changes': {
    parameters: [name],
    get: {
      summary: 'The last hundred live changes, newest first',
      responses: answers({ 200: { description: 'Changes' }, 404: missing() }),
    },
  },
  '/rooms/{name}/health': {
    parameters: [
      name,
      {
        name: 'minutes',
        in: 'query',
        description: 'Minutes of history',
        schema: { type: 'integer', minimum: 0, maximum: 1_440, default: 60 },
      },
    ],
    get: {
      summary: 'The health of the origin and its upstreams, the decisions that followed, and the last minutes',
      responses: answers({
        200: {
          description: 'Health',
        },
        404: missing(),
        422: { description: 'Refused, with the range', ...problem },
      }),
    },
  },
  '/rooms/{name}/forecast': {
    parameters: [name, limit('new_users_per_minute', 0, 1_000_000), limit('total_active_users', 1, 10_000_000)],
    get: {
      summary: 'How the line goes on, under these limits instead of those in force. Nothing is changed',
      responses: answers({
        200: {
          description: 'The forecast, also in `figures` for the limits in force',
        },
        404: missing(),
        422: { description: 'Refused, with parameter and range', ...problem },
      }),
    },
  },
  '/rooms/{name}/history': {
    parameters: [
      name,
      time('from', 'When it begins; an hour before `to` if left out'),
      time('to', 'When it ends; now if left out'),
      {
        name: 'step',
        in: 'query',
        description: 'Minutes of a step, at most 2,000 steps. For times more than 30 days ago a multiple of 60.',
        schema: { type: 'integer', minimum: 1, maximum: 1_440 },
      },
      { name: 'format', in: 'query', schema: { enum: ['json', 'csv'], default: 'json' } },
    ],
    get: {
      summary: 'The figures of the past, step by step, and what happened when',
      responses: answers({
        200: {
          description: 'The history',
          content: {
            'application/json': { schema: { $ref: '#/components/schemas/History' } },
            'text/csv': { schema: { type: 'string' } },
          },
        },
        404: missing(),
        422: { description: 'Refused, with parameter and range', ...problem },
      }),
    },
  },
  '/rooms/{name}/health/ceiling': {
    parameters: [name],
    delete: {
      summary: 'Lift the ceiling: forget how many sessions the origin bears',
      responses: answers({ 204: { description: 'Lifted' }, 404: missing() }),
    },
  },
  ...AUDIT_PATHS,
  ...ALERT_PATHS,
  ...TOKEN_PATHS,
  ...LIVE_PATHS,
  ...PREVIEW_LINK_PATHS,
  ...REPORT_PATHS,
  '/rooms/{name}/sessions/{sid}': {
    parameters: [name, sid],
    get: { summary: 'One session', responses: answers({ 200: { description: 'The session' }, 404: missing() }) },
    delete: { summary: 'End a session', responses: answers({ 204: { description: 'Ended' }, 404: missing() }) },
  },
}

export function openApi(prefix: string): object {
  return {
    openapi: '3.1.0',
    info: {
      title: 'antesala admin API',
      version: '1',
      description: 'Changes are in force at every edge within two seconds.',
    },
    servers: [{ url: `${prefix}/api/v1` }],
    security: [{ token: [] }],
    paths: { ...withRoles(), ...previewPaths(prefix) },
    components: {
      securitySchemes: { token: { type: 'http', scheme: 'bearer' } },
      schemas: schemas(),
    },
  }
}

/** Returns the paths, with the lowest role that may call each operation. The API checks the same roles. */
function withRoles(): object {
  const entries = Object.entries(PATHS).map(([path, { parameters, ...operations }]: [string, PathItem]) => [
    path,
    {
      ...(parameters ? { parameters } : {}),
      ...Object.fromEntries(
        Object.entries(operations).map(([method, operation]) => [
          method,
          described(method, path, operation as Described),
        ]),
      ),
    },
  ])
  return Object.fromEntries(entries)
}

interface Described {
  readonly responses: Readonly<Record<string, Answer>>
}

interface Answer {
  readonly content?: object
}

/**
 * Adds what follows from the operation: its name, its group, the lowest role that may call it, and the body of its
 * answer.
 */
function described(method: string, path: string, operation: Described): object {
  const named = operationOf(method, path)
  const ok = operation.responses[200]
  const schema = { $ref: `#/components/schemas/${named?.body}` }
  const content = named?.body && ok ? { 'application/json': { schema }, ...ok.content } : undefined
  return {
    ...(named ? { operationId: named.id, tags: [named.tag] } : {}),
    ...operation,
    responses: { ...operation.responses, ...(content ? { 200: { ...ok, content } } : {}) },
    'x-role': leastRole(method.toUpperCase(), path),
  }
}

/** The answers to a change. */
function changed() {
  return {
    200: { description: 'The room as it is now; with the same ETag when nothing changed' },
    400: { description: 'The body is not JSON, or If-Match is malformed', ...problem },
    404: missing(),
    412: { description: 'Changed meanwhile', ...problem },
    422: { description: 'Refused, with path, value and range', ...problem },
  }
}

function limit(name: string, minimum: number, maximum: number) {
  return { name, in: 'query', description: 'In force now if left out', schema: { type: 'number', minimum, maximum } }
}

function time(name: string, description: string) {
  return { name, in: 'query', description, schema: { type: 'string', format: 'date-time' } }
}

function missing() {
  return { description: 'Not there', ...problem }
}
