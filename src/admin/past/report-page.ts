/** The report of an event as a page that prints well. It has no script, and loads nothing. */
import Mustache from 'mustache'
import css from '../../../static/admin/report.css'
import template from '../../../static/admin/report.html'
import type { SpanFigures } from '../../core/history/report.ts'
import type { HistoryMarker, ReportedDeed, RoomReport } from '../../core/protocol/calls.ts'
import { MINUTE_MS } from '../../core/timing.ts'
import { curvesOf } from './report-curves.ts'

/** Formats times and figures for one time zone. */
interface Words {
  readonly zone: string
  moment(ms: number): string
  day(ms: number): string
  /** Returns the end of a time. The day is included only if it differs from the day of the beginning. */
  until(ms: number, fromMs: number): string
}

export function isTimeZone(zone: string): boolean {
  try {
    new Intl.DateTimeFormat('en-GB', { timeZone: zone })
    return true
  } catch {
    return false
  }
}

/** Returns the page, and the content security policy that lets its style apply. */
export async function reportPage(report: RoomReport, zone: string): Promise<{ html: string; policy: string }> {
  const words = wordsIn(zone)
  const { room, event, fromMs, startMs, toMs, madeAtMs, figures, deeds, decisions } = report
  const view = {
    css,
    title: event ?? 'A stretch of time',
    room,
    zone,
    span: `${words.day(fromMs)} to ${words.until(toMs, fromMs)}`,
    start: startMs === null || startMs === fromMs ? null : words.moment(startMs),
    made: words.day(madeAtMs),
    groups: groupsOf(report, words),
    curves: curvesOf(report, ms => words.moment(ms)),
    isEmpty: figures.peaks === null,
    deeds: deeds.map(deed => ({ at: words.day(deed.atMs), actor: deed.actor, what: deedWords(deed) })),
    decisions: decisions.map(decision => ({ at: words.day(decision.atMs), what: decisionWords(decision) })),
    stepMinutes: count(figures.stepMs / MINUTE_MS),
  }
  const digest = await crypto.subtle.digest('SHA-256', new TextEncoder().encode(css))
  const hash = btoa(String.fromCharCode(...new Uint8Array(digest)))
  const policy = `default-src 'none'; style-src 'sha256-${hash}'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'`
  return { html: Mustache.render(template, view), policy }
}

interface Figure {
  readonly name: string
  readonly value: string
  readonly note: string
}

interface Group {
  readonly title: string
  readonly figures: readonly Figure[]
}

function groupsOf(report: RoomReport, words: Words): readonly Group[] {
  const { figures, fromMs, startMs } = report
  const hasPrequeue = startMs !== null && startMs > fromMs
  return [peopleOf(figures, hasPrequeue), lineOf(figures, words), roomOf(figures, words), originOf(figures, words)]
}

function figure(name: string, value: string, note = ''): Figure {
  return { name, value, note }
}

function peopleOf(figures: SpanFigures, hasPrequeue: boolean): Group {
  const { came, waited, admitted, admittedAtOnce, gaveUp, missed, rejected, limited } = figures
  const { asked = 0, solved = 0, wrong = 0 } = figures.challenges ?? {}
  const first = hasPrequeue ? ', from the begin of the prequeue on' : ''
  const lost = count(Math.max(0, came - waited - admittedAtOnce))
  const others = [
    figure('Came too late', count(missed), 'missed their turn, and got a new place'),
    figure('Turned away', count(rejected), 'requests without a place'),
    figure('Limited', count(limited), 'requests over a rate limit'),
    figure('Challenged', count(asked), `${count(solved)} right solutions, ${count(wrong)} wrong ones`),
  ]
  return {
    title: 'People',
    figures: [
      figure('Came', count(came), `places that were given${first}`),
      figure('Waited in line', count(waited), `${lost} more never came back`),
      figure('Gave up', count(gaveUp.noShow + gaveUp.left), `${count(gaveUp.noShow)} were called and did not come`),
      figure('Got in', count(admitted), `${count(admittedAtOnce)} of them at once`),
      ...others.filter(({ value }) => value !== '0'),
    ],
  }
}

function lineOf({ waits, peaks, atEnd }: SpanFigures, words: Words): Group {
  const people = waits ? `of ${count(waits.people)} people` : ''
  return {
    title: 'The line',
    figures: [
      figure('Median wait', waits ? duration(waits.medianMs) : 'none', people),
      figure('95 % waited at most', waits ? duration(waits.p95Ms) : 'none'),
      figure('Longest line', count(peaks?.waiting.value ?? 0), peaks ? `at ${words.moment(peaks.waiting.atMs)}` : ''),
      figure('In line at the end', count(atEnd.waiting)),
    ],
  }
}

function roomOf({ line, peaks }: SpanFigures, words: Words): Group {
  const used = line.allowed === 0 ? 'no line' : `${Math.round((100 * line.admitted) / line.allowed)} %`
  const of = `${count(line.admitted)} of ${count(line.allowed)}, in ${count(line.minutes)} min with a line`
  return {
    title: 'The room',
    figures: [
      figure('Rate in use', used, line.allowed === 0 ? '' : of),
      figure('Full', `${count(line.fullMinutes)} min`, 'minutes with a line in which the places were the limit'),
      figure('Most inside', count(peaks?.inside.value ?? 0), peaks ? `at ${words.moment(peaks.inside.atMs)}` : ''),
      figure('Most let in', count(peaks?.admittedPerMinute.value ?? 0), 'in a minute'),
    ],
  }
}

function originOf({ origin, cost }: SpanFigures, words: Words): Group {
  const { apdex, answers, worstP95 } = origin
  const slowest = worstP95 ? `${count(worstP95.value)} ms` : 'unknown'
  return {
    title: 'The origin, and the cost',
    figures: [
      figure('Apdex', apdex === null ? 'unknown' : apdex.toFixed(2), `${count(answers)} answers`),
      figure('Slowest minute', slowest, worstP95 ? `95 % within, at ${words.moment(worstP95.atMs)}` : ''),
      figure('Cost, at most', `$ ${cost.usd.toFixed(2)}`, 'at list prices, beyond what the plan includes'),
      figure('Requests', count(cost.usage.workerRequests), 'polls, claims and page views'),
    ],
  }
}

function deedWords({ action, subject, changed }: ReportedDeed): string {
  const changes = changed.map(({ setting, before, after }) => `${setting}: ${before || 'none'} -> ${after || 'none'}`)
  return [action.replaceAll('-', ' '), ...(subject === null ? [] : [subject]), changes.join('; ')]
    .filter(text => text !== '')
    .join(' \u00b7 ')
}

function decisionWords({ upstream, did, enforced }: Extract<HistoryMarker, { kind: 'decision' }>): string {
  const { kind, ...more } = did
  const details = Object.entries(more).map(([name, value]) =>
    name === 'untilMs' ? '' : `${name} ${typeof value === 'number' ? count(value) : String(value)}`,
  )
  const words = `${upstream}: ${kind.replaceAll('-', ' ')} ${details.join(', ')}`.trim()
  return enforced ? words : `${words} (only noted)`
}

function duration(ms: number): string {
  const seconds = Math.round(ms / 1_000)
  if (seconds < 90) return `${seconds} s`
  const minutes = Math.round(seconds / 60)
  return minutes < 100 ? `${minutes} min` : `${Math.floor(minutes / 60)} h ${minutes % 60} min`
}

function count(value: number): string {
  return value.toLocaleString('en', { maximumFractionDigits: 1 })
}

function wordsIn(timeZone: string): Words {
  const time = new Intl.DateTimeFormat('en-GB', { timeZone, hour: '2-digit', minute: '2-digit' })
  const date = new Intl.DateTimeFormat('en-GB', { timeZone, day: 'numeric', month: 'long', year: 'numeric' })
  const moment = (ms: number) => time.format(ms)
  const day = (ms: number) => `${date.format(ms)}, ${moment(ms)}`
  const until = (ms: number, fromMs: number) => (date.format(ms) === date.format(fromMs) ? moment(ms) : day(ms))
  return { zone: timeZone, moment, day, until }
}
