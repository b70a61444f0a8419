/** Standing in line: from the first request until the site itself answers, or until the visitor gives up. */
import { solveChallenge } from 'altcha-lib'
import { deriveKey } from 'altcha-lib/algorithms/web/pbkdf2'
import type { Browser, Loaded } from './browser.ts'
import type { Answer } from './connections.ts'
import type { RunClock } from './run-clock.ts'
import type { Tally, VisitorRecord } from './tally.ts'
import { type Challenge, ORIGIN_MARK, type PageVerdict, readPage, readPoll } from './waiting-page.ts'

/** The state that all visitors of a run share. */
export interface Site {
  readonly url: URL
  readonly clock: RunClock
  readonly tally: Tally
  /** Mean pause between two pages. */
  readonly thinkMs: number
  readonly stayMs: number
  /** Whether an answer has had the demo shop's mark. Then every answer of the site itself must have it. */
  isMarked: boolean
}

export interface Visitor {
  readonly browser: Browser
  readonly record: VisitorRecord
  /** Polls until this visitor closes the tab; Infinity for a visitor who waits to the end. */
  pollsLeft: number
}

/** After more failures than this a visitor gives up. */
const RELOADS_MAX = 5
const RELOAD_AFTER_MS = { low: 3_000, high: 8_000 }

/** Returns the site's page, or null when the visitor has given up or the run is over. */
export async function lineUp(site: Site, visitor: Visitor): Promise<(Answer & { url: URL }) | null> {
  const { clock, tally } = site
  let failures = 0
  for (;;) {
    const page = await visitor.browser.page(site.url)
    const verdict = judge(site, visitor.record, page, site.url.pathname)
    if (clock.isOver) return null
    switch (verdict.kind) {
      case 'origin':
        tally.admit(visitor.record, clock.at(verdict.page.headAtMs))
        return verdict.page
      case 'waiting':
        visitor.record.placeMs ??= clock.nowMs()
        if (visitor.record.now === 'coming') tally.move(visitor.record, 'in line')
        if (await closesTab(site, visitor, verdict)) return giveUp(tally, visitor)
        break
      case 'blocked':
        await clock.sleep(verdict.retryAfterMs)
        break
      case 'refused':
      case 'silent':
        if (++failures > RELOADS_MAX) return giveUp(tally, visitor)
        await clock.sleep(verdict.kind === 'refused' ? verdict.retryAfterMs : between(RELOAD_AFTER_MS))
    }
    if (clock.isOver) return null
  }
}

/** Reads a page and notes it in the tally. `what` is what the visitor requested. */
export function judge(
  site: Site,
  record: VisitorRecord,
  page: Loaded,
  what: string,
): Exclude<PageVerdict, { kind: 'origin' }> | { kind: 'origin'; page: Answer & { url: URL } } | { kind: 'silent' } {
  const { tally, clock } = site
  if (page.kind === 'silence') record.unanswered++
  if (clock.isOver) return { kind: 'silent' } // Cut off by the end of the run, so it is no failure.
  tally.page(page)
  if (page.kind === 'silence') {
    tally.ended(record, { atMs: clock.nowMs(), tookMs: page.tookMs, what, status: 0, isOrigin: false })
    return { kind: 'silent' }
  }
  site.isMarked ||= page.headers[ORIGIN_MARK] !== undefined
  const verdict = readPage(page, site.isMarked)
  if (verdict.kind === 'waiting') return verdict
  if (verdict.kind === 'blocked') {
    tally.pagesBlocked++
    return verdict
  }
  const { status, tookMs } = page
  tally.ended(record, { atMs: clock.nowMs(), tookMs, what, status, isOrigin: verdict.kind === 'origin' })
  if (verdict.kind === 'refused') {
    if (page.status >= 500) record.unanswered++
    return verdict
  }
  return { kind: 'origin', page }
}

/**
 * Polls as the waiting page does. Returns true when the visitor closes the tab, false when the page must be loaded
 * again.
 */
async function closesTab(
  { clock, tally, url }: Site,
  visitor: Visitor,
  waiting: Extract<PageVerdict, { kind: 'waiting' }>,
): Promise<boolean> {
  let { pollAfterMs, challenge } = waiting
  for (;;) {
    if (visitor.pollsLeft <= 0) return true
    const solves = challenge && !visitor.record.isRobot ? challenge : null
    if (!solves) await clock.sleep(pollAfterMs)
    if (clock.isOver) return false
    visitor.pollsLeft--
    const statusUrl = waiting.statusPath === null ? null : URL.parse(waiting.statusPath, url.href)
    if (!statusUrl) return false // A page without a script is reloaded.
    const answer = await (solves ? solve(visitor, statusUrl, solves) : visitor.browser.poll(statusUrl))
    challenge = undefined
    if (clock.isOver) return false
    tally.polls++
    tally.part(answer)
    if (answer.kind === 'silence') continue
    const verdict = readPoll(answer)
    if (verdict.kind === 'admitted') visitor.record.toldAdmitted = true
    if (verdict.kind !== 'waiting') return false
    ;({ pollAfterMs, challenge } = verdict)
  }
}

/** Solves the challenge as the waiting page does, and sends the solution. The room answers it like a poll. */
async function solve({ browser }: Visitor, statusUrl: URL, challenge: Challenge) {
  const solution = await solveChallenge({ challenge, deriveKey })
  const url = new URL(statusUrl.href.replace('/status?', '/challenge?'))
  return browser.solution(url, { challenge, solution })
}

function giveUp(tally: Tally, { record }: Visitor): null {
  tally.move(record, 'gave up')
  return null
}

export function between({ low, high }: { low: number; high: number }): number {
  return low + (high - low) * Math.random()
}
