/** The OpenAPI description of the preview. */
import { answers, problem } from './answers.ts'

const option = (name: string, description: string) => ({ name, in: 'query', description, schema: { type: 'string' } })
const html = { content: { 'text/html': { schema: { type: 'string' } } } }
const PREVIEW = [
  option('room', 'The name of the room; the first one when left out'),
  option('page', 'The name of the page, such as `waiting`, `sold-out` or `outage`; without it a page with all of them'),
  option('lang', "The language of the page; that of the operator's browser when left out"),
  option('scheme', 'The colour scheme: `light` or `dark`'),
]

export const PREVIEW_LINK_PATHS = {
  '/preview-links': {
    post: {
      summary: 'A link that opens the preview of all pages in a browser, for an hour',
      responses: answers({ 200: { description: 'The `url`, without its host, and when it `expiresAt`' } }),
    },
  },
}

/** Returns the paths of the preview. They are outside of the API's path. */
export function previewPaths(prefix: string) {
  const servers = [{ url: prefix }]
  return {
    '/preview': {
      servers,
      parameters: PREVIEW,
      get: {
        operationId: 'showPreview',
        tags: ['pages'],
        'x-role': 'viewer',
        summary: 'The pages of a room as visitors see them, with figures made up',
        description: 'A key from a link takes the place of the token.',
        parameters: [option('key', 'The key of a link')],
        responses: answers({
          200: { description: 'The page', ...html },
          422: { description: 'Refused, with the names that exist', ...problem },
        }),
      },
      post: {
        operationId: 'tryPreview',
        tags: ['pages'],
        'x-role': 'viewer',
        summary: 'The same pages with settings that are only tried',
        requestBody: {
          required: true,
          content: { 'application/json': { schema: { $ref: '#/components/schemas/Change' } } },
        },
        responses: answers({
          200: { description: 'The page', ...html },
          400: { description: 'The body is not JSON', ...problem },
          422: { description: 'Refused, with path, value and range', ...problem },
        }),
      },
    },
  }
}
