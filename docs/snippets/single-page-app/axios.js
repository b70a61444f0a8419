// Waits for the room in axios, as room.js does for fetch.
import { isOfTheRoom, isSentAgain, keepToken, tokenFor, waitForTurn } from './room.js'

/**
 * Lets all requests of `client` wait: axios itself, or an instance of it. A request that changes something ends as it
 * would without this, with an error whose `response` has the mark: the app offers it again.
 */
export function waitInLine(client, show) {
  const urlOf = config => new URL(client.getUri(config), location.href)
  client.interceptors.request.use(config => {
    const token = tokenFor(urlOf(config))
    if (token) config.headers.set('Waiting-Room-Token', token)
    return config
  })
  const afterWait = async ({ config, headers, data }, otherwise) => {
    const url = urlOf(config)
    const method = config.method ?? 'get'
    keepToken(url, headers['waiting-room-token'])
    if (!isOfTheRoom(headers['waiting-room-state']) || method === 'head') return otherwise()
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
