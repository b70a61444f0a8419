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
import type { TokenGrant, TokenRequest } from '../protocol/messages.ts'

/** At most this share of the burst may be spare tokens: a session may be at several isolates. */
const SPARE_SHARE = 1 / 4
/**
 * The share of the burst that is spare at first. A rest up to this share is not given back: the door charges it at the
 * lease's end.
 */
const SMALL_SHARE = 1 / 8
/**
 * A late request may carry an older time. A clock that is further back than this ends the lease: the door counts it as
 * outstanding only this much longer.
 */
const CLOCK_BACK_MS = 1_000
/** Requests that have waited for longer than this were aborted, so their tokens are not wanted any more. */
const WAIT_LOST_MS = 3_000

export interface Holding {
  /** Names of the policy and of the bucket at the door. */
  readonly policy: string
  readonly bucket: string
  readonly lease: string
  nth: number
  /** Lent and used in total. */
  tokens: number
  used: number
  /** When the last of them was used. */
  usedAtMs: number
  /** `used` when the door was last asked. */
  usedBefore: number
  /** `used` at the last renewal that was due to time, not to a lack of tokens. */
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

export function newHolding(policy: string, bucket: string, quota: Quota, lease: string): Holding {
  return {
    policy,
    bucket,
    lease,
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
export function held(holding: Holding, nowMs: number): number {
  if (holding.untilMs <= nowMs || nowMs < holding.sentMs - CLOCK_BACK_MS) return 0
  return holding.tokens - holding.used
}

/** Takes tokens for a request. The caller must have checked `held`. */
export function use(holding: Holding, tokens: number, nowMs: number): void {
  holding.used += tokens
  holding.usedAtMs = nowMs
}

/** Counts a request that begins to wait for tokens. Call `leave` when it has them or stops waiting. */
export function wait(holding: Holding, tokens: number, nowMs: number): void {
  if (nowMs - holding.waitingAtMs > WAIT_LOST_MS) holding.waiting = 0
  holding.waiting += tokens
  holding.waitingAtMs = nowMs
}

export function leave(holding: Holding, tokens: number): void {
  holding.waiting = Math.max(0, holding.waiting - tokens)
}

/** The report and request that the session's next touch carries. The kept tokens can be used until the answer comes. */
export function nextRequest(holding: Holding, quota: Quota, least: number, nowMs: number): TokenRequest {
  const has = held(holding, nowMs)
  const { waiting, owed } = holding
  const want = Math.min(Math.max(0, waiting - has), quota.burst)
  const refused = holding.refusedUntilMs > nowMs
  adapt(holding, quota, { want, has, least, nowMs })
  const spare = refused ? 0 : holding.spare
  // Tokens that are unlikely to be used go back, for other isolates of the same session.
  const kept = Math.min(has, Math.max(waiting, spare))
  holding.tokens = holding.used + kept
  const ago = usedAgo(holding, nowMs)
  holding.usedBefore = holding.used
  holding.owed = 0
  holding.nth++
  const { lease, nth, policy, bucket, used } = holding
  return {
    ...{ lease, nth, policy, bucket, used, ...ago, has: kept, want: refused ? 0 : want, least },
    spare: Math.max(0, spare - Math.max(0, kept - waiting)),
    ...(owed > 0 ? { owed } : {}),
  }
}

/** Reports what was used and gives back the rest, because no request has come for a while. */
export function giveBack(holding: Holding, nowMs: number): TokenRequest {
  const { lease, policy, bucket, used, owed } = holding
  const ago = usedAgo(holding, nowMs)
  beginAnew(holding)
  holding.tokens = used
  holding.usedBefore = used
  holding.owed = 0
  holding.nth++
  const idle = { lease, nth: holding.nth, policy, bucket, used, ...ago, has: 0, want: 0, least: 1, spare: 0 }
  return owed > 0 ? { ...idle, owed } : idle
}

/** Whether the tokens of an idle session are worth a message. */
export function isWorthGivingBack(holding: Holding, quota: Quota, nowMs: number): boolean {
  return holding.owed > 0 || held(holding, nowMs) > Math.max(1, quota.burst * SMALL_SHARE)
}

/**
 * Applies a grant if it answers the newest request. An older grant is ignored: the newest request does not count its
 * tokens as held, so the door takes them back.
 */
export function noteGrant(
  holding: Holding,
  request: TokenRequest,
  grant: TokenGrant,
  life: { readonly sentMs: number; readonly leaseMs: number; readonly nowMs: number },
): void {
  if (holding.nth !== request.nth) return
  holding.tokens += grant.tokens
  holding.sentMs = life.sentMs
  // Counted from when the request was sent: the lease must never outlast the door's own count.
  holding.untilMs = life.sentMs + life.leaseMs
  holding.remaining = grant.remaining
  if (grant.retryAfterMs > 0) holding.refusedUntilMs = life.nowMs + grant.retryAfterMs
}

/** Applies the `remaining` of an answer to a report that asked for no tokens. */
export function noteRemaining(holding: Holding, request: TokenRequest, grant: TokenGrant): void {
  if (holding.nth === request.nth) holding.remaining = grant.remaining
}

/** A request had no answer, so its owed tokens stay owed. */
export function noteNoAnswer(holding: Holding, request: TokenRequest): void {
  holding.owed += request.owed ?? 0
}

/** Spends tokens without waiting: from the lease as far as it has them. The rest is owed. */
export function owe(holding: Holding, tokens: number, nowMs: number): void {
  const atHand = Math.min(held(holding, nowMs), tokens)
  if (atHand > 0) use(holding, atHand, nowMs)
  holding.owed += tokens - atHand
}

/** Returns nothing when every used token was reported before, or when the last one was used at `nowMs`. */
function usedAgo({ used, usedBefore, usedAtMs }: Holding, nowMs: number): Pick<TokenRequest, 'usedAgoMs'> {
  return used > usedBefore && nowMs > usedAtMs ? { usedAgoMs: nowMs - usedAtMs } : {}
}

/** Adapts how many spare tokens to have from now on. */
function adapt(
  holding: Holding,
  quota: Quota,
  now: { readonly want: number; readonly has: number; readonly least: number; readonly nowMs: number },
): void {
  const { want, has, least, nowMs } = now
  const usedSince = holding.used - holding.usedBefore
  if (holding.untilMs <= nowMs) beginAnew(holding)
  else if (want > 0) holding.spare *= usedSince > 0 ? 2 : 1
  else {
    if (has > usedSince) holding.spare = Math.floor(holding.spare / 2)
    holding.usedAtStart = holding.used
  }
  // Several requests that wait at once mean that a page is loading: about as many more will follow.
  if (want > least) holding.spare = Math.max(holding.spare, want)
  holding.spare = Math.min(mostSpare(quota), Math.max(1, holding.spare))
}

/** The lease ended by time, not for want of tokens: the next one should serve about as many requests. */
function beginAnew(holding: Holding): void {
  const used = holding.used - holding.usedAtStart
  if (used > 0) holding.spare = Math.max(used, Math.floor(holding.spare / 2))
  holding.usedAtStart = holding.used
}

/** Returns 0 for a burst below four: there every request asks the door, and no token is kept from other isolates. */
function mostSpare(quota: Quota): number {
  return Math.floor(quota.burst * SPARE_SHARE)
}
