/**
 * The limits of a session at one isolate: a token lease for each bucket, and refusals until they expire.
 *
 * A request takes its tokens from the lease without a call to the door. When the lease is empty, its isolate calls
 * the door once for all waiting requests, and for some spare tokens. The number of spare tokens adapts:
 * - twice as many each time the spare ones were used up;
 * - half as many when most of them were left;
 * - about as many as the last lease served, when that lease ended by time.
 *
 * So a person who goes from page to page costs one call a page.
 */
import type { Quota } from '../gcra.ts'
import type { TokenRequest } from '../protocol/messages.ts'

/** At most this share of the burst may be spare tokens: a session may be at several isolates. */
const SPARE_SHARE = 1 / 4
/**
 * The share of the burst that is spare at first. A lease with no more tokens left than this share is not given back:
 * the door charges it at the lease's end.
 */
const SMALL_SHARE = 1 / 8
/**
 * A late request may bring an older time. If the clock is further back than this, the lease ends, because the door
 * counts it as outstanding only this much longer.
 */
const CLOCK_BACK_MS = 1_000
/** The most calls to the door for one request. Other requests of its session may take what the door grants. */
export const CALLS_MAX = 6
/** An isolate looks for idle leases this often. */
export const IDLE_LOOK_MS = 2_000
/** Requests that have waited for longer than this were aborted, so their tokens are not wanted any more. */
const WAIT_LOST_MS = 3_000

export interface TokenLease {
  /** Names of the policy and of the bucket at the door. */
  readonly policy: string
  readonly bucket: string
  readonly id: string
  nth: number
  /** Lent and used in total. */
  tokens: number
  used: number
  /** When a token was last used, by the clock of this isolate. */
  usedAtMs: number
  /** `used` when the door was last asked. */
  usedBefore: number
  /** `used` at the last renewal that came because of time, not because tokens were missing. */
  usedAtStart: number
  /** `used` when the lease was last checked for being idle. */
  usedSeen: number
  sentMs: number
  untilMs: number
  spare: number
  /** How many tokens the door could still lend when it last answered. */
  remaining: number
  refusedUntilMs: number
  /** Tokens that requests wait for, and when the newest of these requests began to wait. */
  waiting: number
  waitingAtMs: number
  /**
   * Tokens used without a loan: by a request that was admitted with a claim, or because the origin reported a higher
   * cost.
   */
  owed: number
}

export function newTokenLease(policy: string, bucket: string, quota: Quota, id: string): TokenLease {
  return {
    policy,
    bucket,
    id,
    nth: 0,
    tokens: 0,
    used: 0,
    usedAtMs: 0,
    usedBefore: 0,
    usedAtStart: 0,
    usedSeen: -1,
    sentMs: 0,
    untilMs: 0,
    spare: Math.min(mostSpare(quota), Math.max(1, Math.floor(quota.burst * SMALL_SHARE))),
    remaining: 0,
    refusedUntilMs: 0,
    waiting: 0,
    waitingAtMs: 0,
    owed: 0,
  }
}

/** Returns how many tokens a request can take now. */
export function tokensLeft(lease: TokenLease, nowMs: number): number {
  if (lease.untilMs <= nowMs || nowMs < lease.sentMs - CLOCK_BACK_MS) return 0
  return lease.tokens - lease.used
}

/**
 * Decides a request with the tokens at hand. `refused`: the door refused a request a moment ago, and its time to wait
 * is not over. `short`: tokens must come from the door first.
 */
export function atHand(lease: TokenLease, cost: number, nowMs: number): 'enough' | 'refused' | 'short' {
  if (tokensLeft(lease, nowMs) >= cost && lease.owed === 0) return 'enough'
  return lease.refusedUntilMs > nowMs ? 'refused' : 'short'
}

/** Takes tokens for a request. The caller must have checked `tokensLeft`. */
export function takeTokens(lease: TokenLease, tokens: number, nowMs: number): void {
  lease.used += tokens
  lease.usedAtMs = nowMs
}

/** Counts a request that begins to wait for tokens. Call `endWait` when it has them or stops waiting. */
export function beginWait(lease: TokenLease, tokens: number, nowMs: number): void {
  if (nowMs - lease.waitingAtMs > WAIT_LOST_MS) lease.waiting = 0
  lease.waiting += tokens
  lease.waitingAtMs = nowMs
}

export function endWait(lease: TokenLease, tokens: number): void {
  lease.waiting = Math.max(0, lease.waiting - tokens)
}

/**
 * Returns the report and the request for the session's next renewal. The kept tokens can be used until the answer
 * comes.
 */
export function nextRequest(lease: TokenLease, quota: Quota, least: number, nowMs: number): TokenRequest {
  const has = tokensLeft(lease, nowMs)
  const { waiting, owed } = lease
  const want = Math.min(Math.max(0, waiting - has), quota.burst)
  const refused = lease.refusedUntilMs > nowMs
  adapt(lease, quota, { want, has, least, nowMs })
  const spare = refused ? 0 : lease.spare
  // Tokens that are unlikely to be used go back, for other isolates of the same session.
  const kept = Math.min(has, Math.max(waiting, spare))
  lease.tokens = lease.used + kept
  const ago = usedAgo(lease, nowMs)
  lease.usedBefore = lease.used
  lease.owed = 0
  lease.nth++
  const { id, nth, policy, bucket, used } = lease
  return {
    ...{ lease: id, nth, policy, bucket, used, ...ago, has: kept, want: refused ? 0 : want, least },
    spare: Math.max(0, spare - Math.max(0, kept - waiting)),
    ...(owed > 0 ? { owed } : {}),
  }
}

/** Reports what was used and gives back the rest, because no request has come for a while. */
export function returnTokens(lease: TokenLease, nowMs: number): TokenRequest {
  const { id, policy, bucket, used, owed } = lease
  const ago = usedAgo(lease, nowMs)
  sizeByUse(lease)
  lease.tokens = used
  lease.usedBefore = used
  lease.owed = 0
  lease.nth++
  const idle = { lease: id, nth: lease.nth, policy, bucket, used, ...ago, has: 0, want: 0, least: 1, spare: 0 }
  return owed > 0 ? { ...idle, owed } : idle
}

/** True if the unused or owed tokens of an idle session are worth a message to the door. */
export function isWorthReturning(lease: TokenLease, quota: Quota, nowMs: number): boolean {
  return lease.owed > 0 || tokensLeft(lease, nowMs) > Math.max(1, quota.burst * SMALL_SHARE)
}

/** True if a lease was not used since the last look, and has tokens that are worth a message. */
export function isIdle(lease: TokenLease, quota: Quota, nowMs: number): boolean {
  return lease.used === lease.usedSeen && isWorthReturning(lease, quota, nowMs)
}

/** Remembers how many tokens are used by now. `isIdle` compares this number with the next one. */
export function noteLook(lease: TokenLease): void {
  lease.usedSeen = lease.used
}

/** Spends tokens without waiting: first those of the lease. The rest is owed. */
export function owe(lease: TokenLease, tokens: number, nowMs: number): void {
  const atHand = Math.min(tokensLeft(lease, nowMs), tokens)
  if (atHand > 0) takeTokens(lease, atHand, nowMs)
  lease.owed += tokens - atHand
}

/** Returns nothing if every used token was already reported, or if the last one was used at `nowMs`. */
function usedAgo({ used, usedBefore, usedAtMs }: TokenLease, nowMs: number): Pick<TokenRequest, 'usedAgoMs'> {
  return used > usedBefore && nowMs > usedAtMs ? { usedAgoMs: nowMs - usedAtMs } : {}
}

/** Adapts how many spare tokens the lease should have from now on. */
function adapt(
  lease: TokenLease,
  quota: Quota,
  now: { readonly want: number; readonly has: number; readonly least: number; readonly nowMs: number },
): void {
  const { want, has, least, nowMs } = now
  const usedSince = lease.used - lease.usedBefore
  if (lease.untilMs <= nowMs) sizeByUse(lease)
  else if (want > 0) lease.spare *= usedSince > 0 ? 2 : 1
  else {
    if (has > usedSince) lease.spare = Math.floor(lease.spare / 2)
    lease.usedAtStart = lease.used
  }
  // Several requests that wait at once mean that a page is loading: about as many more will follow.
  if (want > least) lease.spare = Math.max(lease.spare, want)
  lease.spare = Math.min(mostSpare(quota), Math.max(1, lease.spare))
}

/** The lease ended by time, with tokens left. Its next term should serve about as many requests as this one did. */
function sizeByUse(lease: TokenLease): void {
  const used = lease.used - lease.usedAtStart
  if (used > 0) lease.spare = Math.max(used, Math.floor(lease.spare / 2))
  lease.usedAtStart = lease.used
}

/** Returns 0 for a burst below four. Then every request asks the door, and no token is kept from other isolates. */
function mostSpare(quota: Quota): number {
  return Math.floor(quota.burst * SPARE_SHARE)
}
