/**
 * Tokens that an admin has made for operators in the dashboard, and the calls about them. One object stores them all.
 */

/** Returns the id of a token: the beginning of its hash. */
export function idOf(sha256: string): string {
  return sha256.slice(0, 12)
}

/** A token as it is stored: its hash, and never the token. */
export interface MadeToken {
  /** The beginning of its hash, by which it is revoked. */
  readonly id: string
  readonly name: string
  readonly role: string
  /** The hash in base64url, 43 characters. */
  readonly sha256: string
  readonly madeBy: string
  readonly madeAtMs: number
  readonly endsAtMs: number
  /** The time of the last use, to the minute. Null before the first use. */
  readonly lastUsedAtMs: number | null
  readonly revokedAtMs: number | null
  readonly revokedBy: string | null
}

export type NewToken = Pick<MadeToken, 'name' | 'role' | 'sha256' | 'madeBy' | 'endsAtMs'>

export interface OperatorCalls {
  /** Returns all tokens, newest first. A token that was revoked or has ended is among them for 90 days. */
  tokens(): Promise<readonly MadeToken[]>
  /** Stores a token. Returns null when the limit on valid tokens is reached. */
  addToken(token: NewToken): Promise<MadeToken | null>
  /** Returns null when there is no such valid token. */
  revokeToken(id: string, by: string): Promise<MadeToken | null>
  tokenUsed(id: string): Promise<void>
}

/** The owner of a dashboard's WebSocket. The room stores it together with the socket. */
export interface SocketOwner {
  /** The id of the token. Null if the operator's login cannot be revoked. */
  readonly tokenId: string | null
  /** The time after which the room closes the socket. */
  readonly endsAtMs: number
}

export interface SocketCalls {
  /** Closes the dashboards' sockets of a token that was revoked. */
  endSockets(tokenId: string): Promise<void>
}
