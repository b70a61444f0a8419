/**
 * The token of a dashboard's WebSocket. A browser cannot send the header `Authorization` with a WebSocket. So the token
 * is sent as one of the subprotocols, which are in another header. In the address the token would end up in logs.
 */
import { base64url } from 'jose'

/** The subprotocol that the server chooses. */
export const LIVE_PROTOCOL = 'antesala.live'
/** The token follows in base64url, because a subprotocol allows fewer characters than a token. */
const TOKEN_PROTOCOL = 'antesala.token.'

export function isSocket(request: Request): boolean {
  return request.headers.get('Upgrade')?.toLowerCase() === 'websocket'
}

/** Returns the token of a WebSocket in the form of an `Authorization` header, or undefined if there is none. */
export function authorizationOfSocket(request: Request): string | undefined {
  if (!isSocket(request)) return undefined
  const named = protocolsOf(request).find(protocol => protocol.startsWith(TOKEN_PROTOCOL))
  if (named === undefined) return undefined
  try {
    return `Bearer ${new TextDecoder().decode(base64url.decode(named.slice(TOKEN_PROTOCOL.length)))}`
  } catch (error) {
    // The text is not base64url.
    if (error instanceof TypeError) return 'Bearer '
    throw error
  }
}

export function protocolsOf(request: Request): readonly string[] {
  return (request.headers.get('Sec-WebSocket-Protocol') ?? '').split(',').map(protocol => protocol.trim())
}
