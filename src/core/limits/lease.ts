/**
 * What one isolate holds of a session's limits: a lease of requests per bucket, and refusals until their time.
 *
 * A request takes its tokens from here without asking anybody. When there are none its isolate asks the door, once for all requests that
 * wait, and for some to spare: twice as many each time the spare ones were used up, half as many when most of them were left, and as
 * many as were used last time when the lease has run out, so that a person who goes from page to page asks once a page.
 */
import type { Quota } from '../gcra.ts'
import type { Ask, Grant } from '../protocol/messages.ts'

/** Tokens to spare are at most this share of the burst: a session may be at several isolates. */
const SPARE_SHARE = 1 / 4
/** What is asked for first, and what is too little to be given back: less is charged at its end. */
const SMALL_SHARE = 1 / 8
/** A clock that went back further than requests can be late ends a lease. The door counts it as out for as long. */
const CLOCK_BACK_MS = 1_000
/** Requests that wait for so long have been cut off: nobody will take the tokens wanted for them. */
const WAIT_LOST_MS = 3_000

export interface Holding {
  /** Names of the policy and of the bucket, as the door knows them. */
  readonly policy: string
  readonly bucket: string
  readonly lease: string
  nth: number
  /** Lent and used in total. */
  tokens: number
  used: number
  /** When the last of them was used. */
  usedAtMs: number
  /** Used when the door was last asked. */
  usedBefore: number
  /** Used when it was last renewed with time, not for want of tokens. */
  usedAtStart: number
  /** Used when it was last looked at. */
  usedSeen: number
  sentMs: number
  untilMs: number
  spare: number
  /** What the door could still lend when it last answered. */
  remaining: number
  refusedUntilMs: number
  /** Tokens that requests wait for, and since when. */
  waiting: number
  waitingAtMs: number
  /** Used without having been lent: by a late request, or by what the origin said a request had cost. */
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

/** Tokens that a request can take now. */
export function held(holding: Holding, nowMs: number): number {
  if (holding.untilMs <= nowMs || nowMs < holding.sentMs - CLOCK_BACK_MS) return 0
  return holding.tokens - holding.used
}

/** A request takes tokens that are there. */
export function use(holding: Holding, tokens: number, nowMs: number): void {
  holding.used += tokens
  holding.usedAtMs = nowMs
}

/** A request begins to wait for tokens; `leave` when it has them, or goes without. */
export function wait(holding: Holding, tokens: number, nowMs: number): void {
  if (nowMs - holding.waitingAtMs > WAIT_LOST_MS) holding.waiting = 0
  holding.waiting += tokens
  holding.waitingAtMs = nowMs
}

export function leave(holding: Holding, tokens: number): void {
  holding.waiting = Math.max(0, holding.waiting - tokens)
}

/** What the next touch of the session says and asks. Between it and its answer the tokens at hand can be used. */
export function askOf(holding: Holding, quota: Quota, least: number, nowMs: number): Ask {
  const has = held(holding, nowMs)
  const { waiting, owed } = holding
  const want = Math.min(Math.max(0, waiting - has), quota.burst)
  const refused = holding.refusedUntilMs > nowMs
  adapt(holding, quota, { want, has, least, nowMs })
  const spare = refused ? 0 : holding.spare
  // More than is likely to be used goes back, for other isolates of the same session.
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

/** Says what was used and gives back the rest: nobody has come for a while. */
export function giveBack(holding: Holding, nowMs: number): Ask {
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

/** Whether what an idle session has here is worth a message. */
export function isWorthGivingBack(holding: Holding, quota: Quota, nowMs: number): boolean {
  return holding.owed > 0 || held(holding, nowMs) > Math.max(1, quota.burst * SMALL_SHARE)
}

/** Takes a grant, if it answers the newest ask; the door takes back what another granted. */
export function noteGrant(
  holding: Holding,
  ask: Ask,
  grant: Grant,
  life: { readonly sentMs: number; readonly leaseMs: number; readonly nowMs: number },
): void {
  if (holding.nth !== ask.nth) return
  holding.tokens += grant.tokens
  holding.sentMs = life.sentMs
  // From when it was asked for: it must not outlast what the door meant.
  holding.untilMs = life.sentMs + life.leaseMs
  holding.remaining = grant.remaining
  if (grant.retryAfterMs > 0) holding.refusedUntilMs = life.nowMs + grant.retryAfterMs
}

/** Takes what an answer says is left, where nothing was asked for. */
export function noteRemaining(holding: Holding, ask: Ask, grant: Grant): void {
  if (holding.nth === ask.nth) holding.remaining = grant.remaining
}

/** An ask had no answer: what is owed stays owed. */
export function noteNoAnswer(holding: Holding, ask: Ask): void {
  holding.owed += ask.owed ?? 0
}

/** Uses tokens that were not waited for: from the lease when it has them, else they are owed. */
export function owe(holding: Holding, tokens: number, nowMs: number): void {
  const atHand = Math.min(held(holding, nowMs), tokens)
  if (atHand > 0) use(holding, atHand, nowMs)
  holding.owed += tokens - atHand
}

/** Nothing to say of tokens that were reported before, or are used this instant. */
function usedAgo({ used, usedBefore, usedAtMs }: Holding, nowMs: number): Pick<Ask, 'usedAgoMs'> {
  return used > usedBefore && nowMs > usedAtMs ? { usedAgoMs: nowMs - usedAtMs } : {}
}

/** How many to have spare from now on. */
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
  // Many that wait at once are a page being loaded: as many more are on their way.
  if (want > least) holding.spare = Math.max(holding.spare, want)
  holding.spare = Math.min(mostSpare(quota), Math.max(1, holding.spare))
}

/** It was time that ran out, not tokens: the next lease serves about as many requests as this one did. */
function beginAnew(holding: Holding): void {
  const used = holding.used - holding.usedAtStart
  if (used > 0) holding.spare = Math.max(used, Math.floor(holding.spare / 2))
  holding.usedAtStart = holding.used
}

/** None of a burst below four: there every request is asked for, and none is kept from other isolates. */
function mostSpare(quota: Quota): number {
  return Math.floor(quota.burst * SPARE_SHARE)
}
