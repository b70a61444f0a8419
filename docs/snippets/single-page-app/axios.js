// Waits for the room in axios, as room.js does for fetch.
import { isOfTheRoom, isSentAgain, waitForTurn } from './room.js'

/**
 * Lets all requests of `client` wait: axios itself, or an instance of it. A request that changes something ends as it
 * would without this, with an error whose `response` has the mark: the app offers it again.
 */
export function waitInLine(client, show) {
  const afterWait = async ({ config, headers, data }, otherwise) => {
    const method = config.method ?? 'get'
    if (!isOfTheRoom(headers['waiting-room-state']) || method === 'head') return otherwise()
    const url = new URL(client.getUri(config), location.href)
    await waitForTurn(url, await placeIn(data), show, config.signal)
    return isSentAgain(method) ? client.request(config) : otherwise()
  }
  client.interceptors.response.use(
    response => afterWait(response, () => response),
    error => {
      const refuse = () => Promise.reject(error)
      return error.response ? afterWait(error.response, refuse) : refuse()
    },
  )
}

/** Reads the place from a body, which is of the kind that the request wished for (`responseType`). */
function placeIn(data) {
  const isRaw = typeof data === 'string' || data instanceof Blob || data instanceof ArrayBuffer
  return isRaw ? new Response(data).json() : data
}
