/** The OpenAPI description of operators' tokens. */
import { ROLES } from '../../settings/admin/named-tokens.ts'
import { answers, problem } from './answers.ts'

const text = { type: 'string' }

export const TOKEN_PATHS = {
  '/tokens': {
    get: {
      summary: 'The tokens of operators, without the tokens themselves',
      responses: answers({ 200: { description: 'Tokens' } }),
    },
    post: {
      summary: 'Make a token. Only this answer contains it. It works everywhere within a second',
      requestBody: { required: true, content: { 'application/json': { schema: asked() } } },
      responses: answers({
        200: { description: 'The token' },
        400: { description: 'The body is not JSON', ...problem },
        409: { description: 'There are 100 valid tokens already', ...problem },
        422: { description: 'Refused, with path and range', ...problem },
      }),
    },
  },
  '/tokens/{id}': {
    parameters: [{ name: 'id', in: 'path', required: true, schema: text }],
    delete: {
      summary: 'Revoke a token that was made in the dashboard. It is refused everywhere within five seconds',
      responses: answers({ 204: { description: 'Revoked' }, 404: { description: 'Not there', ...problem } }),
    },
  },
}

function asked() {
  const days = { type: 'integer', minimum: 1, maximum: 400, default: 90 }
  return { type: 'object', required: ['name', 'role'], properties: { name: text, role: { enum: ROLES }, days } }
}
