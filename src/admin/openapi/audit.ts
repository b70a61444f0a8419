/** The OpenAPI description of the audit log. */
import { AUDIT_ACTIONS } from '../../core/protocol/audit.ts'
import { answers, problem } from './answers.ts'

export const AUDIT_PATHS = {
  '/rooms/{name}/audit': {
    parameters: [{ name: 'name', in: 'path', required: true, schema: { type: 'string' } }],
    get: {
      summary: 'The audit log, newest first: who did what, when and from where, with the values before and after',
      parameters: [
        query('actor', { type: 'string' }, 'The name of a token, or of a login'),
        query('action', { enum: AUDIT_ACTIONS }, 'The kind of deed'),
        query('from', { type: 'string', format: 'date-time' }, 'The begin of the time; a year ago otherwise'),
        query('to', { type: 'string', format: 'date-time' }, 'The end of the time; now otherwise'),
        query('before', { type: 'integer' }, 'Only entries with a lower id: the next page'),
        query('limit', { type: 'integer', minimum: 1, maximum: 10_000, default: 100 }, 'The most entries'),
        query('format', { enum: ['json', 'csv'], default: 'json' }, 'CSV has one line of names first'),
      ],
      responses: answers({
        200: {
          description: 'Entries',
          content: { 'text/csv': { schema: { type: 'string' } } },
        },
        404: { description: 'Not there', ...problem },
        422: { description: 'Refused, with the range', ...problem },
      }),
    },
  },
}

function query(name: string, schema: object, description: string) {
  return { name, in: 'query', description, schema }
}
