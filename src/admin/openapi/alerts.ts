/** The OpenAPI description of alerts. */
import { answers, problem } from './answers.ts'

const name = { name: 'name', in: 'path', required: true, schema: { type: 'string' } }
const missing = { description: 'Not there', ...problem }

export const ALERT_PATHS = {
  '/rooms/{name}/alerts': {
    parameters: [name],
    get: {
      summary: 'The rules of alerts and their state, the receivers, and the latest 100 deliveries, newest first',
      responses: answers({
        200: { description: 'Alerts' },
        404: missing,
      }),
    },
  },
  '/rooms/{name}/alerts/test': {
    parameters: [name],
    post: {
      summary: 'Send a test to a receiver; its delivery is in the list of deliveries',
      requestBody: {
        required: true,
        content: {
          'application/json': {
            schema: { type: 'object', required: ['receiver'], properties: { receiver: { type: 'string' } } },
          },
        },
      },
      responses: answers({
        202: { description: 'On its way' },
        400: { description: 'The body is not JSON', ...problem },
        404: missing,
        422: { description: 'There is no such receiver', ...problem },
      }),
    },
  },
}
