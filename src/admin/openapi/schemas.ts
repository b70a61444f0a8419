/** The bodies of the admin API, as JSON Schema. A change has the schema of the settings themselves. */
import * as z from 'zod'
import { AUDIT_ACTIONS } from '../../core/protocol/audit.ts'
import { describedSchema, settingsGroups } from '../../settings/purposes/described.ts'
import { historyBody, reportBody, reportsBody } from './bodies/reports.ts'

const lanes = {
  type: 'array',
  description: 'The main lane and those beside it; empty in a room without lanes. `admitted` is since the room began.',
  items: {
    type: 'object',
    properties: {
      name: { type: 'string' },
      share: { type: 'number', minimum: 0, maximum: 1 },
      waiting: count('In the line'),
      standing: count('Called, and ready for a permit'),
      admitted: count('Let in'),
    },
  },
}

const RULES = ['sold-out-near', 'sessions-long', 'rate-unused', 'no-shows', 'origin-has-room', 'line-grows']

export const SCHEMAS = {
  Audit: {
    type: 'object',
    properties: {
      entries: {
        type: 'array',
        description: 'Newest first; at most 10,000 are kept, for 400 days',
        items: {
          type: 'object',
          properties: {
            id: count('Rises with each entry'),
            atMs: count('Milliseconds since 1970'),
            actor: { type: 'string', description: 'The name of the token or login; never chosen by the request' },
            by: { enum: ['token', 'access', 'deployment'] },
            network: { type: ['string', 'null'], description: 'The /24 or /64 of the request' },
            action: { enum: AUDIT_ACTIONS },
            subject: { type: ['string', 'null'], description: 'The session, token or key' },
            before: { type: ['object', 'null'], description: 'Settings before; long values are cut' },
            after: { type: ['object', 'null'] },
            times: { type: 'integer', minimum: 1, description: 'The changes of these settings within the minute' },
            lastAtMs: count('When the last of them was made'),
          },
        },
      },
    },
  },
  Change: { ...describedSchema(), 'x-groups': settingsGroups() },
  Event: {
    type: 'object',
    properties: {
      name: { type: 'string' },
      state: { enum: ['suspended', 'upcoming', 'prequeueing', 'active', 'over'] },
      prequeueAt: { type: ['string', 'null'], format: 'date-time' },
      startsAt: { type: 'string', format: 'date-time' },
      endsAt: { type: 'string', format: 'date-time' },
      instead: {
        type: 'object',
        description: "The settings that replace the room's own while it is on; the message also before its start",
      },
      draw: {
        type: ['object', 'null'],
        description: 'Null where places are given by arrival',
        properties: {
          commitment: { type: 'string', description: 'sha256: and the hash of the seed' },
          seed: { type: ['string', 'null'], description: 'Ten seconds after the start' },
          entries: { type: 'integer', description: 'Visitors who came back while they waited for the start' },
        },
      },
    },
  },
  LimitFigures: {
    type: 'object',
    properties: {
      allowed: count('Requests that went on'),
      limited: count('Requests refused'),
      shadow: count('Requests that a policy in shadow mode would have refused'),
      near: count('Leases lent with at least 80 % of the burst in use'),
      fallback: count('Requests that an isolate decided by itself, because a door did not answer'),
    },
  },
  Problem: {
    type: 'object',
    properties: {
      title: { type: 'string' },
      status: { type: 'integer' },
      detail: { type: 'string' },
      problems: {
        type: 'array',
        items: { type: 'object', properties: { path: { type: 'string' }, message: { type: 'string' } } },
      },
    },
  },
  Health: {
    type: 'object',
    properties: {
      health: {
        type: 'object',
        description:
          'Now: well, slowed or down, since when, what ends it, the next trial, the limits in force, pins, and of each upstream the breaker and the answers of the last 60 s',
      },
      decisions: {
        type: 'array',
        description:
          'The last 200 of at most 10,000 in 30 days, newest first: what was seen, what was done, until when',
        items: { type: 'object' },
      },
      history: { type: 'array', description: 'By minute, oldest first', items: { type: 'object' } },
    },
  },
  Forecast: {
    type: 'object',
    required: ['kind'],
    properties: {
      kind: { enum: ['moves', 'stopped'] },
      why: {
        enum: ['outage', 'held', 'before-start', 'sold-out', 'rate-0'],
        description: 'Why the line stands still; the other members are there while it moves',
      },
      emptyInMs: { type: ['number', 'null'], description: 'Null if not within a day; 0 if no line forms' },
      growsPerMinute: { type: 'integer', description: 'Negative while the line becomes shorter' },
      wait: {
        type: ['object', 'null'],
        description: 'The wait of a newcomer; null if longer than a day',
        properties: { lowMs: { type: 'number' }, likelyMs: { type: 'number' }, highMs: { type: 'number' } },
      },
      soldOutInMs: { type: ['number', 'null'], description: 'When the budget is used up' },
    },
  },
  History: schemaOf(historyBody),
  Report: schemaOf(reportBody),
  Reports: schemaOf(reportsBody),
  Room: {
    type: 'object',
    properties: {
      name: { type: 'string' },
      version: { type: 'string' },
      settings: { type: 'object', description: 'In force now' },
      file: { type: 'object', description: 'As deployed' },
      now: { type: 'string', format: 'date-time' },
      sources: { type: 'object', additionalProperties: { enum: ['default', 'file', 'live'] } },
      figures: {
        type: 'object',
        properties: {
          lanes,
          admittedLastMinute: count('Let in during the last minute'),
          cameLastMinute: count('Newcomers of the last minute who came back once, or were let in at once'),
          forecast: { $ref: '#/components/schemas/Forecast' },
          advice: {
            type: 'array',
            description: 'The most urgent first. The other members are the figures behind it',
            items: { type: 'object', required: ['rule'], properties: { rule: { enum: RULES } } },
          },
          sinceMs: {
            type: ['integer', 'null'],
            description: 'Since when it is open, held or has a line: Unix milliseconds',
          },
          waitMs: { type: ['integer', 'null'], description: 'The wait that a newcomer is shown; 0 in an open room' },
          limits: {
            type: 'object',
            description: 'By policy, since the room began',
            additionalProperties: { $ref: '#/components/schemas/LimitFigures' },
          },
          verdicts: {
            type: 'object',
            description: 'Decisions of the gate since the room began, by verdict and reason: `waiting/held`',
            additionalProperties: { type: 'integer' },
          },
        },
      },
      events: { type: 'array', description: 'Soonest first', items: { $ref: '#/components/schemas/Event' } },
    },
  },
} as const

/** A body that an answer has. Its `$schema` belongs to whole documents only. */
function schemaOf(body: z.ZodType): object {
  const { $schema: _, ...schema } = z.toJSONSchema(body, { io: 'output', unrepresentable: 'any' })
  return schema
}

function count(description: string) {
  return { type: 'integer', minimum: 0, description }
}
