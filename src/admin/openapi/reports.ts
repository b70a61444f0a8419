/** The OpenAPI description of reports. */
import { answers, problem } from './answers.ts'

const name = { name: 'name', in: 'path', required: true, schema: { type: 'string' } }
const missing = { description: 'Not there', ...problem }

export const REPORT_PATHS = {
  '/rooms/{name}/reports': {
    parameters: [name],
    get: {
      summary: 'The reports of events that are kept, newest first',
      responses: answers({
        200: {
          description: 'Reports',
          content: { 'application/json': { schema: { $ref: '#/components/schemas/Reports' } } },
        },
        404: missing,
      }),
    },
  },
  '/rooms/{name}/reports/{id}': {
    parameters: [name, { name: 'id', in: 'path', required: true, schema: { type: 'string' } }],
    get: {
      summary: 'One report, or with the id `span` the report of any time',
      description: 'A suffix of the id (`.json`, `.html`, `.csv`) chooses the form, then `format`, then `Accept`.',
      parameters: [
        query('from', { type: 'string', format: 'date-time' }, 'With `span`: the begin; an hour before `to` otherwise'),
        query('to', { type: 'string', format: 'date-time' }, 'With `span`: the end; now otherwise'),
        query('format', { enum: ['json', 'html', 'csv'] }, 'The form'),
        query('zone', { type: 'string' }, 'The time zone of the page, such as Europe/Madrid'),
      ],
      responses: answers({
        200: {
          description: 'The report',
          content: {
            'application/json': { schema: { $ref: '#/components/schemas/Report' } },
            'text/html': { schema: { type: 'string' } },
            'text/csv': { schema: { type: 'string' } },
          },
        },
        404: missing,
        422: { description: 'Refused, with parameter and range', ...problem },
      }),
    },
  },
}

function query(name: string, schema: object, description: string) {
  return { name, in: 'query', description, schema }
}
