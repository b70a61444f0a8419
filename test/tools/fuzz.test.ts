import { describe, expect, it } from 'vitest'
import type { Answer } from '../../tools/fuzz/connection.ts'
import { type Draft, FIRST_ID, fill } from '../../tools/fuzz/draft.ts'
import { generate } from '../../tools/fuzz/generate.ts'
import { faultsOf } from '../../tools/fuzz/judge.ts'
import { unexpected } from '../../tools/fuzz/log.ts'
import type { Arrival } from '../../tools/fuzz/origin.ts'
import { readings } from '../../tools/fuzz/readings.ts'
import { shrink } from '../../tools/fuzz/shrink.ts'
import { type Header, headerOf, readContent, readHead } from '../../tools/fuzz/wire.ts'

const tokens = new Map([
  ['pass:held', 'aaa.bbb.ccc'],
  ['session:held', 'xx-0.held'],
  ['pass:limited', 'ddd.eee.fff'],
  ['session:limited', 'xx-0.limited'],
])
const site = { tokens, sendsHost: false }
const ID = String(FIRST_ID)

/** The headers that the edge adds about the visitor. */
const TOLD = ['X-Forwarded-For: 127.1.0.1', 'X-Forwarded-Host: site.test']
const PREFLIGHT = ['Origin: https://elsewhere.test', 'Access-Control-Request-Method: POST']
const DONE = answer(200, ['X-Fuzz-Origin: 1000000'], 'carried out')
const WAIT = ['Content-Type: text/html; charset=utf-8', 'Cache-Control: no-store', 'Retry-After: 2']
const WAITS = answer(503, WAIT, '<p>Please wait</p>')

function draft(changes: Partial<Draft> = {}): Draft {
  return {
    from: 'ordinary',
    method: 'GET',
    target: '/held/a?fz={id}',
    version: 'HTTP/1.1',
    lines: ['Host: site.test'],
    lineEnd: '\r\n',
    body: '',
    content: '',
    ...changes,
  }
}

function answer(status: number, lines: readonly string[], body = ''): Answer {
  return { kind: 'answer', status, headers: lines.map(headerOf), body, surplus: '' }
}

/** A request as the origin receives it when nothing has changed on the way. */
function arrival(changes: Partial<Arrival> = {}, lines: readonly string[] = []): Arrival {
  const headers: Header[] = [...TOLD, ...lines].map(headerOf)
  const target = `/held/a?fz=${ID}`
  return { id: ID, method: 'GET', target, headers, text: '', body: Buffer.alloc(0), ...changes }
}

function faults(sent: Draft, got: Answer, ...arrivals: readonly Arrival[]): readonly string[] {
  return faultsOf({ sent: fill(sent, tokens, FIRST_ID), answer: got, arrivals }, site)
}

describe('the check of the requests that reached the origin', () => {
  it('finds nothing wrong with a request that waits', () => {
    expect(faults(draft(), WAITS)).toEqual([])
  })

  it('finds nothing wrong with the pass of an insider', () => {
    const sent = draft({ lines: ['Host: site.test', 'Cookie: antesala-held={pass:held}'] })
    const lines = ['Waiting-Room-Session: xx-0.held']
    expect(faults(sent, DONE, arrival({}, lines))).toEqual([])
    expect(faults(draft(), DONE, arrival({}, lines))).toContain('a request that was not let in reached the origin')
  })

  it.each([
    ['encoded once', '/open/..%2fheld/a'],
    ['encoded twice', '/%2568eld/a'],
    ['with a backslash', '/open/..\\held/a'],
    ['with a parameter', '/held;b/a'],
  ])('names a path of a closed room that is %s', (_, path) => {
    const target = `${path}?fz=${ID}`
    expect(faults(draft({ target }), DONE, arrival({ target }))).toContain(
      'a request that was not let in reached the origin',
    )
  })

  it('names a preflight that arrives as a GET', () => {
    const sent = draft({ method: 'OPTIONS', lines: ['Host: site.test', ...PREFLIGHT] })
    expect(faults(sent, DONE, arrival({}, PREFLIGHT))).toEqual([
      'the origin got another method',
      'a request that was not let in reached the origin with another method',
    ])
  })

  it('names a preflight that reached the origin although the edge must answer it', () => {
    const target = `/answering/a?fz=${ID}`
    const sent = draft({ method: 'OPTIONS', target, lines: ['Host: site.test', ...PREFLIGHT] })
    expect(faults(sent, DONE, arrival({ method: 'OPTIONS', target }, PREFLIGHT))).toEqual([
      'a request that was not let in reached the origin',
    ])
  })

  it('names a cookie and a body of a preflight', () => {
    const method = 'OPTIONS'
    const sent = draft({ method, lines: ['Host: site.test', ...PREFLIGHT] })
    expect(faults(sent, DONE, arrival({ method }, PREFLIGHT))).toEqual([])
    const body = Buffer.from('secret')
    expect(faults(sent, DONE, arrival({ method, body }, [...PREFLIGHT, 'Cookie: a=b']))).toEqual([
      'a preflight carried cookie to the origin',
      'a preflight carried a body to the origin',
    ])
  })

  it('names a bypassed POST that arrives as a GET, which the rule does not let pass', () => {
    const target = `/hooks/in/a?fz=${ID}`
    const sent = draft({ method: 'POST', target })
    expect(faults(sent, DONE, arrival({ method: 'POST', target }))).toEqual([])
    expect(faults(sent, DONE, arrival({ target }))).toContain(
      'a request that was not let in reached the origin with another method',
    )
  })

  it.each([
    ['call=wc_x', []],
    ['call=wc_x&call=0', ['a request that was not let in reached the origin']],
    ['call[]=0&call=wc_x', ['a request that was not let in reached the origin']],
    ['call=wc_x;add=5', ['a request that was not let in reached the origin']],
    ['call=wc_x&%61dd=5', ['a request that was not let in reached the origin']],
    ['', ['a request that was not let in reached the origin']],
  ])('judges by every reading of the query whether a rule lets %j by', (query, expected) => {
    const target = `/called/in/a?fz=${ID}&${query}`
    const sent = draft({ method: 'POST', target })
    expect(faults(sent, DONE, arrival({ method: 'POST', target }))).toEqual(expected)
  })

  it.each([
    ['/robots.txt', 'GET', 0],
    ['/.well-known/a', 'HEAD', 0],
    ['/robots.txt?page=5', 'GET', 1],
    ['/.well-known/..%2fpay', 'GET', 1],
    ['/.well-known/a', 'POST', 1],
  ])('judges %s by %s at the root of a held host', (target, method, count) => {
    const lines = ['Host: held.test', `X-Fuzz: ${ID}`]
    const told = ['X-Forwarded-For: 127.1.0.1', 'X-Forwarded-Host: held.test'].map(headerOf)
    expect(faults(draft({ target, method, lines }), DONE, arrival({ target, method, headers: told }))).toHaveLength(
      count,
    )
  })

  it('names a limited request under another spelling', () => {
    const target = `/limited/login/?fz=${ID}`
    const sent = draft({ target, lines: ['Host: site.test', 'Cookie: antesala-limited={pass:limited}'] })
    const lines = ['Waiting-Room-Session: xx-0.limited']
    expect(faults(sent, DONE, arrival({ target }, lines))).toEqual(['a limited request reached the origin'])
  })

  it.each([
    ['a host of no room', 'elsewhere.test', 'a host of no room reached the origin'],
    ['a malformed host', 'site.test*', 'a malformed host reached the origin'],
  ])('names %s', (_, host, fault) => {
    const target = `/free?fz=${ID}`
    const told = arrival({ target, headers: [headerOf('X-Forwarded-For: 127.1.0.1'), ['x-forwarded-host', host]] })
    expect(faults(draft({ target, lines: [`Host: ${host}`] }), DONE, told)).toEqual([fault])
  })

  it('names a target without a path, and a path that came from the host', () => {
    const star = draft({ target: '*', method: 'POST' })
    const root = arrival({ target: '/', method: 'POST' })
    expect(faults(star, DONE, root)).toContain('the origin got another target')
    const moved = draft({ target: '/?fz={id}', lines: ['Host: site.test/free'] })
    const free = arrival({ target: `/free/?fz=${ID}` })
    expect(faults(moved, DONE, free)).toContain('the origin got another target')
  })

  it.each(['X-Original-URL', 'x_forwarded_port', 'Waiting-Room-Pass'])('names a forged %s', name => {
    const target = `/free?fz=${ID}`
    const lines = [`${name}: forged`]
    const [fault] = faults(draft({ target, lines: ['Host: site.test', ...lines] }), DONE, arrival({ target }, lines))
    expect(fault).toBe(`the origin got the visitor's ${name.toLowerCase().replaceAll('_', '-')}`)
  })

  it('accepts an override header where each room allows it and none is bypassed', () => {
    const target = `/lax/inner/a?fz=${ID}`
    const lines = ['X-Original-URL: forged']
    const sent = draft({ target, lines: ['Host: site.test', ...lines] })
    expect(faults(sent, DONE, arrival({ target }, lines))).toEqual([])
    const both = `/lax/inner.json?fz=${ID}`
    const other = draft({ target: both, lines: ['Host: site.test', ...lines] })
    expect(faults(other, DONE, arrival({ target: both }, lines))).toEqual([
      "the origin got the visitor's x-original-url",
    ])
  })

  it('names an address other than the one of the connection', () => {
    const target = `/free?fz=${ID}`
    const headers = ['X-Forwarded-For: 127.7.0.1', 'X-Forwarded-Host: site.test'].map(headerOf)
    expect(faults(draft({ target }), DONE, arrival({ target, headers }))).toEqual(['the origin got another address'])
  })

  it('names another body, a second arrival and an answer of another request', () => {
    const target = `/free?fz=${ID}`
    const sent = draft({ method: 'POST', target, body: 'tea', content: 'tea' })
    const got = arrival({ method: 'POST', target, body: Buffer.from('coffee') })
    expect(faults(sent, answer(200, ['X-Fuzz-Origin: 7']), got, got)).toEqual([
      'the origin got another body',
      'one request reached the origin more than once',
      'the answer belongs to another request',
    ])
  })
})

describe('the judge of an answer', () => {
  it('names a 503 without Retry-After, and one that may be stored', () => {
    expect(faults(draft(), answer(503, []))).toEqual(['503 came without Retry-After', '503 came without no-store'])
  })

  it('names a stack trace and an error of the edge itself', () => {
    const trace = answer(503, WAIT, 'TypeError: x\n    at Object.fetch (index.js:1:2)')
    expect(faults(draft(), trace)).toEqual(['the answer reveals an internal error'])
    const lines = ['Content-Type: application/problem+json', 'Cache-Control: no-store', 'Retry-After: 5']
    const problem = answer(503, lines, '{"title":"Try again shortly","status":503}')
    expect(faults(draft(), problem)).toEqual(['the edge failed by an error of its own'])
  })

  it('names a POST of a machine that is answered 200 but was not carried out', () => {
    const ok = answer(200, WAIT, '<p>Please wait</p>')
    const target = '/held-200/a?fz={id}'
    expect(faults(draft({ target }), ok)).toEqual([])
    const sent = draft({ target, method: 'POST' })
    expect(faults(sent, ok)).toEqual(['a request that was not carried out was answered as done'])
    const form = draft({ target, method: 'POST', lines: ['Host: site.test', 'Sec-Fetch-Mode: navigate'] })
    expect(faults(form, ok)).toEqual([])
  })

  it('names a bypassed or suspended request that is held back', () => {
    const held = ['a request that is outside of the room was held back']
    expect(faults(draft({ target: '/down/hook/a?fz={id}' }), WAITS)).toEqual(held)
    expect(faults(draft({ target: '/off/a?fz={id}' }), WAITS)).toEqual(held)
    expect(faults(draft({ target: '/down/a?fz={id}' }), WAITS)).toEqual([])
  })

  it('accepts a refusal by the runtime only for a request that the runtime cannot read', () => {
    const refused = answer(400, ['Content-Type: text/plain'], 'invalid URI')
    expect(faults(draft({ target: '/a`b' }), refused)).toEqual([])
    expect(faults(draft(), refused)).toEqual(['the runtime refused what it can read'])
  })

  it('names a redirect to another host', () => {
    const to = (location: string) => answer(303, ['Cache-Control: no-store', `Location: ${location}`])
    expect(faults(draft(), to('/held/a'))).toEqual([])
    expect(faults(draft(), to('//evil.test/a'))).toEqual(['a redirect leads to another host'])
  })

  it('names a cookie of the edge that may be stored, and one that a page of another site has replaced', () => {
    const cookie = 'Set-Cookie: antesala-held=aaa.bbb.ccc'
    expect(faults(draft(), answer(503, [...WAIT, cookie]))).toEqual([])
    const lines = ['Host: site.test', 'Sec-Fetch-Site: cross-site']
    expect(faults(draft({ method: 'POST', lines }), answer(503, [...WAIT, cookie]))).toEqual([
      'a page of another site replaced a cookie of ours',
    ])
    const target = `/free?fz=${ID}`
    const stored = answer(200, ['X-Fuzz-Origin: 1000000', cookie])
    expect(faults(draft({ target }), stored, arrival({ target }))).toEqual(['a cookie of ours came without no-store'])
  })

  it('names silence, but not after a request that cannot be read to its end', () => {
    const silent: Answer = { kind: 'silent', text: '' }
    expect(faults(draft(), silent)).toEqual(['no answer came'])
    expect(faults(draft({ content: null }), silent)).toEqual([])
  })
})

describe('the parts of the fuzzer', () => {
  it('generate the same request for the same seed and number', () => {
    const list = (seed: number) => Array.from({ length: 200 }, (_, number) => generate(seed, number))
    expect(list(1)).toEqual(list(1))
    expect(list(1)).not.toEqual(list(2))
  })

  it('read a path in all the ways in which servers read it', () => {
    expect(readings('/open/%252e%252e/held')).toContain('/held')
    expect(readings('/open/..;/held')).toContain('/held')
    expect(readings('/open//a/./b/..')).toEqual(['/open//a/', '/open/a/'])
  })

  it('read heads and bodies by length and in chunks', () => {
    const bytes = Buffer.from('POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n3\r\ntea\r\n0\r\n\r\nGET')
    const head = readHead(bytes)
    expect(head?.startLine).toBe('POST / HTTP/1.1')
    const content = head && readContent(bytes, head)
    expect([content?.body.toString(), bytes.subarray(content?.end).toString()]).toEqual(['tea', 'GET'])
    expect(head && readContent(bytes.subarray(0, -8), head)).toBeNull()
  })

  it('shrink a request to what a fault needs', async () => {
    const lines = ['Host: site.test', 'A: 1', 'Upgrade: websocket', 'B: 2']
    const smallest = await shrink(draft({ method: 'POST', body: 'tea', content: 'tea', lines }), async smaller =>
      smaller.lines.includes('Upgrade: websocket'),
    )
    expect(smallest).toMatchObject({ method: 'GET', target: '/held?fz={id}', body: '', lines: ['Upgrade: websocket'] })
  })

  it('distinguish an unexpected log line from an expected one', () => {
    const lines = [
      '{"level":"warn","event":"origin-unreachable","room":null,"detail":"Error: Network connection lost."}',
      '{"level":"error","event":"unexpected-error","room":null,"detail":"TypeError: no URL"}',
      'TypeError: Invalid URL string.',
      '    at new a (index.js:1:2)',
    ]
    expect(unexpected(lines.join('\n'))).toEqual([lines[1], lines[2]])
  })
})
