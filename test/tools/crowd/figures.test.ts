import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import type { Answer } from '../../../tools/crowd/connections.ts'
import { CookieJar } from '../../../tools/crowd/cookie-jar.ts'
import { crowdFigures, displacementP95Ms } from '../../../tools/crowd/figures.ts'
import { leakedRequests } from '../../../tools/crowd/leaks.ts'
import { assetsOf, linksOf } from '../../../tools/crowd/shopping.ts'
import { Tally, type VisitorRecord } from '../../../tools/crowd/tally.ts'
import { readPage, readPoll } from '../../../tools/crowd/waiting-page.ts'

function answer(more: Partial<Answer> = {}): Answer {
  return { kind: 'answer', status: 200, headers: {}, body: '', headAtMs: 0, tookMs: 0, ...more }
}

function visitor(more: Partial<VisitorRecord> = {}): VisitorRecord {
  const start = { arrivedMs: null, placeMs: null, admittedMs: null, toldAdmitted: false, unanswered: 0 }
  const pages = { pagesServed: 0, pagesFailed: 0 }
  return { id: 'run-1', isRobot: false, now: 'coming', ...start, ...pages, ...more }
}

/** Visitors who arrive every 100 ms and take a place at once. One is admitted each second, from 10 s on. */
function ordered(count: number): VisitorRecord[] {
  return Array.from({ length: count }, (_, n) =>
    visitor({ arrivedMs: n * 100, placeMs: n * 100, admittedMs: 10_000 + n * 1_000 }),
  )
}

describe('figures of a run', () => {
  it('count admissions in windows, and waits from arrival to the first answer of the origin', () => {
    const tally = new Tally()
    for (const [n, { arrivedMs, admittedMs }] of ordered(31).entries()) {
      const record = tally.newVisitor(`run-${n}`)
      record.arrivedMs = arrivedMs
      tally.admit(record, admittedMs ?? 0)
    }
    const figures = crowdFigures(tally, null, 60_000)
    expect(figures.admitted).toBe(31)
    expect(figures.admittedPerMinute).toBe(60)
    expect(figures.max10s).toBe(10)
    expect(figures.max60s).toBe(31)
    expect(figures.waitP50Seconds).toBe(23.5) // The 16th of 31: admitted at 25 s, arrived at 1.5 s.
    expect(figures.mostInside).toBe(31)
  })

  it('count robots by themselves', () => {
    const tally = new Tally()
    for (const isRobot of [false, true, true]) tally.newVisitor('run-1', isRobot).arrivedMs = 0
    expect(crowdFigures(tally, null, 1_000)).toMatchObject({ visitors: 1, robots: { arrived: 2, admitted: 0 } })
    expect(crowdFigures(new Tally(), null, 1_000)).not.toHaveProperty('robots')
  })

  it('of an empty run are zeros', () => {
    const figures = crowdFigures(new Tally(), null, 1_000)
    expect(figures).toMatchObject({ admitted: 0, admittedPerMinute: 0, max10s: 0, waitP95Seconds: 0, pageP95Ms: 0 })
  })

  it('count a visitor once who is let in twice, but count both admissions', () => {
    const tally = new Tally()
    const record = tally.newVisitor('run-1')
    record.arrivedMs = 0
    tally.admit(record, 1_000)
    tally.sendBack(record)
    tally.admit(record, 2_000)
    expect(crowdFigures(tally, null, 3_000)).toMatchObject({ admitted: 1, max10s: 2, mostInside: 1, sentBack: 1 })
  })

  it('list at most five messages, each once, and count every error', () => {
    const tally = new Tally()
    for (let n = 0; n < 20; n++) {
      tally.page({ kind: 'silence', message: `error ${n % 7}`, tookMs: 0, isStale: false })
    }
    const { errors, errorSamples } = crowdFigures(tally, null, 1_000)
    expect(errors).toBe(20)
    expect(errorSamples).toEqual(['error 0', 'error 1', 'error 2', 'error 3', 'error 4'])
  })
})

describe('displacement', () => {
  it('is zero when all visitors are admitted in order', () => {
    expect(displacementP95Ms(ordered(50))).toBe(0)
  })

  it('is the number of places out of order, as time at the rate of admission', () => {
    // Each two visitors swap places. So each is one place out of order, which is one second at this rate.
    const swapped = ordered(40).map((record, n) => ({ ...record, placeMs: (n % 2 === 0 ? n + 1 : n - 1) * 100 }))
    expect(displacementP95Ms(swapped)).toBe(1_000)
  })

  it('looks only at visitors who took a place and were admitted', () => {
    const others = [visitor({ placeMs: 5 }), visitor({ admittedMs: 5 })]
    expect(displacementP95Ms([...ordered(10), ...others])).toBe(0)
    expect(displacementP95Ms(others)).toBe(0)
  })
})

describe('leaks', () => {
  const seen = { 'run-1': { requests: 3, session: null } }

  it('are requests of visitors who were never admitted', () => {
    expect(leakedRequests([visitor()], seen)).toBe(3)
    expect(leakedRequests([visitor({ admittedMs: 5 })], seen)).toBe(0)
    expect(leakedRequests([visitor({ toldAdmitted: true })], seen)).toBe(0)
    expect(leakedRequests([visitor({ id: 'run-2' })], seen)).toBe(0)
  })

  it('do not include requests whose answer was lost on the way back', () => {
    expect(leakedRequests([visitor({ unanswered: 2 })], seen)).toBe(1)
    expect(leakedRequests([visitor({ unanswered: 5 })], seen)).toBe(0)
  })

  it('include requests with a lost answer if the room marks its visitors and this visitor has no mark', () => {
    const withRoom = { ...seen, 'run-2': { requests: 1, session: 'xx-0.a' } }
    const admitted = visitor({ id: 'run-2', admittedMs: 5 })
    expect(leakedRequests([visitor({ unanswered: 3 }), admitted], withRoom)).toBe(3)
  })
})

describe('a page', () => {
  const room = '<main class="x" id="room" data-state="waiting" data-status="{{}}" data-poll="7">'
  const waiting = room.replace('{{}}', '&#x2F;.waiting-room&#x2F;status?room&#x3D;shop&amp;claim&#x3D;1')

  it.each([200, 202, 429, 503])('of the waiting room is known by its marker, with status %i', status => {
    expect(readPage(answer({ status, body: waiting }), false)).toEqual({
      kind: 'waiting',
      statusPath: '/.waiting-room/status?room=shop&claim=1',
      pollAfterMs: 7_000,
    })
  })

  it('brings a challenge of proof of work, and none of Turnstile', () => {
    const given = (challenge: unknown) =>
      readPage(answer({ body: `${waiting}<script id="challenge">${JSON.stringify({ challenge })}</script>` }), false)
    const work = { parameters: { cost: 1_000 }, signature: 's' }
    expect(given(work)).toMatchObject({ challenge: work })
    for (const none of [null, { turnstile: { sitekey: '1x0' } }]) expect(given(none)).not.toHaveProperty('challenge')
  })

  it('is a waiting page where it begins as our template does', () => {
    const body = readFileSync('static/room.html', 'utf8').replace('{{pollAfterSeconds}}', '7')
    expect(readPage(answer({ body }), false)).toMatchObject({ kind: 'waiting', pollAfterMs: 7_000 })
  })

  it('with the mark of the origin is from the origin, whatever its status', () => {
    expect(readPage(answer({ status: 503, headers: { 'demo-shop': '1' } }), true)).toEqual({ kind: 'origin' })
  })

  it('without the mark counts as refused, if the origin marks its pages', () => {
    expect(readPage(answer(), true)).toMatchObject({ kind: 'refused' })
    expect(readPage(answer(), false)).toEqual({ kind: 'origin' })
  })

  it.each([429, 500, 502, 504])('with error %i of an unmarked site is a refusal', status => {
    const headers = { 'retry-after': '3' }
    expect(readPage(answer({ status, headers }), false)).toEqual({ kind: 'refused', retryAfterMs: 3_000 })
  })

  it('lists its links and assets within the site', () => {
    const url = new URL('http://shop/a/')
    const body = `<link rel="stylesheet" href="/s.css"><img alt="" src="p.svg"><img src="http://other/x.png">
      <a href="/b">b</a> <a class="x" href="http://shop/b">b</a> <a href="http://other/">o</a> <a href="mailto:a@b">m</a>`
    expect(linksOf({ body, url }).map(String)).toEqual(['http://shop/b'])
    expect(assetsOf({ body, url }).map(asset => asset.url.pathname)).toEqual(['/s.css', '/a/p.svg'])
  })
})

describe('a poll', () => {
  const poll = (body: unknown, more: Partial<Answer> = {}) => readPoll(answer({ body: JSON.stringify(body), ...more }))

  it.each(['waiting', 'called', 'missed'])('with the state %s brings another poll after the given time', state => {
    expect(poll({ state, pollAfterSeconds: 3 })).toEqual({ kind: 'waiting', pollAfterMs: 3_000 })
  })

  it('with the state admitted or none ends the polling', () => {
    expect(poll({ state: 'admitted', pollAfterSeconds: null })).toEqual({ kind: 'admitted' })
    expect(poll({ state: 'none', pollAfterSeconds: null })).toEqual({ kind: 'none' })
  })

  it('that is refused is repeated after Retry-After, or after five seconds', () => {
    const headers = { 'retry-after': '9' }
    expect(poll({ title: 'too fast' }, { status: 429, headers })).toEqual({ kind: 'waiting', pollAfterMs: 9_000 })
    expect(readPoll(answer({ status: 503, body: '<html>' }))).toEqual({ kind: 'waiting', pollAfterMs: 5_000 })
  })

  it('is followed by another poll after 0.5 s at least and 120 s at most', () => {
    expect(poll({ state: 'waiting', pollAfterSeconds: 0 })).toEqual({ kind: 'waiting', pollAfterMs: 500 })
    expect(poll({ state: 'waiting', pollAfterSeconds: 3_600 })).toEqual({ kind: 'waiting', pollAfterMs: 120_000 })
  })
})

describe('a cookie jar', () => {
  const HOUR_MS = 3_600_000

  it('keeps values per origin, and the last value of each name', () => {
    const jar = new CookieJar()
    jar.keep('http://a', ['t=1; Path=/; HttpOnly', 'u=x=y'], 0)
    jar.keep('http://a', ['t=2; Max-Age=60'], 0)
    expect(jar.header('http://a')).toBe('t=2; u=x=y')
    expect(jar.header('http://b')).toBeNull()
  })

  it.each(['t=; Max-Age=0', 't=gone; max-age=-5', 't=; Expires=Thu, 01 Jan 1970 00:00:00 GMT'])(
    'forgets a cookie after %s',
    line => {
      const jar = new CookieJar()
      jar.keep('http://a', ['t=1'], HOUR_MS)
      jar.keep('http://a', [line], HOUR_MS)
      expect(jar.header('http://a')).toBeNull()
    },
  )

  it('skips what is not a cookie', () => {
    const jar = new CookieJar()
    jar.keep('http://a', ['', '=x', 'novalue', ';;'], 0)
    expect(jar.header('http://a')).toBeNull()
  })
})
