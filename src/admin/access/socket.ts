/**
 * The token of a dashboard's WebSocket. A browser cannot give a WebSocket the header `Authorization`. So the token is
 * one of the subprotocols, which are a header, too. An address would end in logs.
 */
import { base64url } from 'jose'

/** The subprotocol that the server chooses. */
export const LIVE_PROTOCOL = 'antesala.live'
/** Followed by the token in base64url, because a subprotocol has fewer characters than a token. */
const TOKEN_PROTOCOL = 'antesala.token.'

export function isSocket(request: Request): boolean {
  return request.headers.get('Upgrade')?.toLowerCase() === 'websocket'
}

/** Returns the token of a WebSocket as the header that other requests have, or undefined where there is none. */
export function authorizationOfSocket(request: Request): string | undefined {
  if (!isSocket(request)) return undefined
  const named = protocolsOf(request).find(protocol => protocol.startsWith(TOKEN_PROTOCOL))
  if (named === undefined) return undefined
  try {
    return `Bearer ${new TextDecoder().decode(base64url.decode(named.slice(TOKEN_PROTOCOL.length)))}`
  } catch (error) {
    // The text is no base64url.
    if (error instanceof TypeError) return 'Bearer '
    throw error
  }
}

export function protocolsOf(request: Request): readonly string[] {
  return (request.headers.get('Sec-WebSocket-Protocol') ?? '').split(',').map(protocol => protocol.trim())
}
