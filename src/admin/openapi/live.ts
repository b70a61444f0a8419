/** The description of the WebSocket of a dashboard. */
import { LIVE_PROTOCOL } from '../access/socket.ts'
import { answers, problem } from './answers.ts'

export const LIVE_PATHS = {
  '/rooms/{name}/live': {
    parameters: [{ name: 'name', in: 'path', required: true, schema: { type: 'string' } }],
    get: {
      summary: 'A WebSocket that brings `news` when the room may have changed, at most once a second',
      description:
        `Ask for the subprotocol \`${LIVE_PROTOCOL}\`. A browser sends its token as another subprotocol, ` +
        '`antesala.token.` and the token in base64url without padding. Read the room at each `news`. The room ' +
        'answers `ping` with `pong` and closes at any other message. It closes with 4000 after a quarter of an ' +
        'hour, so that the next socket checks the token again, and with 4001 when the token is revoked.',
      responses: answers({
        101: { description: 'The socket is open' },
        404: { description: 'Not there', ...problem },
        426: { description: 'No WebSocket, or another subprotocol', ...problem },
        503: { description: 'The room has a hundred sockets already', ...problem },
      }),
    },
  },
}
