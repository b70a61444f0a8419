import * as fc from 'fast-check'
import { afterEach, describe, expect, it } from 'vitest'
import { type Edge, newEdge, send, settled } from '../support/workerd/visitor.ts'

const URL_OF_ROOM = 'https://admin.test/.waiting-room/api/v1/rooms/fuzzed'
const TOKEN = 'the-admin-token-of-the-test-rooms'

async function ask(edge: Edge, init: RequestInit = {}, url = URL_OF_ROOM) {
  const headers = { Authorization: `Bearer ${TOKEN}`, 'CF-Connecting-IP': '81.2.69.1', ...init.headers }
  const { response, status, text } = await send(edge, new Request(url, { ...init, headers }))
  const type = response.headers.get('Content-Type')
  return { status, type, etag: response.headers.get('ETag'), body: text === '' ? null : JSON.parse(text) }
}

const patch = (edge: Edge, body: BodyInit, headers: Record<string, string> = {}) =>
  ask(edge, { method: 'PATCH', body, headers })

afterEach(settled)

describe('the body of a change', () => {
  it.each([
    ['lists in lists', '['.repeat(100_000) + ']'.repeat(100_000), 400, 'It is nested more than 32 deep.'],
    ['lists without an end', '['.repeat(500_000), 400, 'JSON'],
    ['objects in objects', `${'{"a":'.repeat(50_000)}1${'}'.repeat(50_000)}`, 400, 'It is nested more than 32 deep.'],
    ['a deep value of a setting', `{"bypass":${'['.repeat(33)}${']'.repeat(33)}}`, 400, 'nested more than 32 deep'],
    ['a name given twice', '{"message":"a","queue_all":true,"message" :"b"}', 400, '"message" is given twice'],
    ['a name given twice in two spellings', '{"message":"a","\\u006dessage":"b"}', 400, 'is given twice in one object'],
    ['a name that every object has', '{"__proto__":{"suspended":true}}', 400, 'There is no setting "__proto__"'],
    ['the same, deeper', '{"health_pins":{"breakers":{"__proto__":"open"}}}', 400, 'no setting "__proto__"'],
    ['another such name', '{"constructor":1}', 422, 'constructor is not a setting'],
    ['a number beyond all numbers', '{"total_active_users":1e999}', 422, 'total_active_users must be a whole number'],
    ['a number with too many digits', `{"remaining":${'9'.repeat(400_000)}}`, 422, 'remaining must be a whole number'],
    ['a number below nothing', '{"new_users_per_minute":-0.000001}', 422, 'new_users_per_minute must be'],
    ['a list', '[{"suspended":true}]', 422, 'must be an object of settings, got [{"suspended":true}]'],
    ['nothing', '', 400, 'JSON'],
    ['null', 'null', 422, 'must be an object of settings, got null'],
    ['a text', '"suspended"', 422, 'must be an object of settings'],
    ['a comment', '{"suspended":true} // now', 400, 'JSON'],
    ['two values', '{}{}', 400, 'JSON'],
    ['a very long name', `{"${'n'.repeat(900_000)}":1}`, 422, 'is not a setting'],
    ['very many names', `{${Array.from({ length: 90_000 }, (_, i) => `"n${i}":1`)}}`, 422, 'more problems than these'],
    [
      'very many rules',
      `{"bypass":[${'1,'.repeat(500_000)}1]}`,
      422,
      'bypass must have at most 100 entries, got 500,001',
    ],
    [
      'very many wrong values',
      `{"upstreams":[{"paths":[${'1,'.repeat(49)}1]},${'{},'.repeat(9)}{}]}`,
      422,
      'is required',
    ],
    ['a list that must have entries', '{"bypass":[{"methods":[]}]}', 422, 'bypass[0].methods must not be empty'],
  ])('that holds %s is refused with the reason', async (_, body, status, why) => {
    const edge = newEdge()
    const before = await ask(edge)
    const answer = await patch(edge, body)
    expect([answer.status, answer.type]).toEqual([status, 'application/problem+json'])
    expect(answer.body.detail).toContain(why)
    expect(JSON.stringify(answer.body).length).toBeLessThan(50_000)
    expect((await ask(edge)).etag).toBe(before.etag)
  })

  it.each([
    ['truncated UTF-8', [0x7b, 0x22, 0x6d, 0x22, 0x3a, 0x22, 0xe2, 0x82, 0x22, 0x7d]],
    ['a surrogate in UTF-8', [0x22, 0xed, 0xa0, 0x80, 0x22]],
    ['UTF-16', [0xff, 0xfe, 0x7b, 0x00, 0x7d, 0x00]],
    ['gzip', [0x1f, 0x8b, 0x08, 0x00, 0x00]],
  ])('that is %s is refused, and is not converted', async (_, bytes) => {
    const answer = await patch(newEdge(), new Uint8Array(bytes))
    expect([answer.status, answer.body.title]).toEqual([400, 'The body is not UTF-8'])
  })

  it.each([
    ['application/json', 200],
    ['Application/JSON; charset=utf-8', 200],
    ['application/x-www-form-urlencoded', 200],
    ['text/plain;charset=UTF-8', 200],
    ['', 200],
    ['application/merge-patch+json', 415],
    ['application/json-patch+json', 415],
    ['multipart/form-data; boundary=x', 415],
    ['image/png', 415],
  ])('of the type %j gets the status %i', async (type, status) => {
    const edge = newEdge()
    const request = new Request(URL_OF_ROOM, { method: 'PATCH', body: '{}' })
    request.headers.set('Authorization', `Bearer ${TOKEN}`)
    if (type === '') request.headers.delete('Content-Type')
    else request.headers.set('Content-Type', type)
    const { response } = await send(edge, request)
    expect(response.status).toBe(status)
    if (status === 415) expect(response.headers.get('Accept-Patch')).toBe('application/json')
  })

  it('keeps text with lone surrogates, and shows it as it was set', async () => {
    const edge = newEdge()
    const { status, body } = await patch(edge, '{"message":"\\ud800 <b>\\u0000&\\udfff"}')
    expect([status, body.settings.message]).toEqual([200, '\ud800 <b>\0&\udfff'])
    expect((await patch(edge, JSON.stringify(body.settings))).body.version).toBe(body.version)
  })

  it('never gets a 5xx, and changes the room as a whole or not at all', async () => {
    const edge = newEdge()
    const names = Object.keys((await ask(edge)).body.settings)
    const value = fc.oneof(
      fc.jsonValue({ maxDepth: 6 }),
      fc.constantFrom<unknown>(-0, 1e21, 1e308, 2 ** 53, '', '\ud800', '__proto__', [], {}, [null], { length: 1e9 }),
      fc.integer({ min: 1, max: 40 }).map(depth => JSON.parse('['.repeat(depth) + ']'.repeat(depth)) as unknown),
    )
    const object = fc.dictionary(fc.oneof(fc.constantFrom(...names), fc.string()), value, { maxKeys: 4 })
    const text = fc.oneof(
      object.map(one => JSON.stringify(one)),
      fc.json(),
      fc.string(),
    )
    const bytes = fc.oneof(
      text.map(one => new TextEncoder().encode(one)),
      fc.uint8Array({ maxLength: 60 }),
    )
    await fc.assert(
      fc.asyncProperty(bytes, fc.nat(80), async (whole, cut) => {
        const before = await ask(edge)
        const body = whole.slice(0, Math.max(0, whole.length - (cut > 70 ? cut - 70 : 0)))
        const answer = await patch(edge, body)
        expect([200, 400, 422]).toContain(answer.status)
        if (answer.status === 200) {
          const again = await patch(edge, JSON.stringify(answer.body.settings))
          expect([again.status, again.body.version]).toEqual([200, answer.body.version])
        } else {
          expect([answer.type, answer.body.status]).toEqual(['application/problem+json', answer.status])
          expect(answer.body.detail).not.toMatch(/Invalid|Too (big|small)|Unrecognized/)
          expect((await ask(edge)).body.settings).toEqual(before.body.settings)
        }
      }),
      { numRuns: 250 },
    )
  }, 60_000)
})

describe('If-Match', () => {
  const change = (edge: Edge, header: string, message: string) =>
    patch(edge, JSON.stringify({ message }), { 'If-Match': header })

  it.each(['', 'abc', '"abc', 'abc"', '*, "a"', '"a" "b"', 'w/"a"', ','])('is refused as %j', async header => {
    const edge = newEdge()
    const { etag } = await ask(edge)
    const answer = await change(edge, header, 'never')
    expect([answer.status, answer.body.title]).toEqual([400, 'If-Match is malformed'])
    expect((await ask(edge)).etag).toBe(etag)
    const reset = await ask(edge, { method: 'DELETE', headers: { 'If-Match': header } }, `${URL_OF_ROOM}/overrides`)
    expect(reset.status).toBe(400)
  })

  it('may name several versions, one of which must be the current one', async () => {
    const edge = newEdge()
    const etag = (await ask(edge)).etag ?? ''
    expect((await change(edge, '"1other.7", "2other.8"', 'a')).status).toBe(412)
    expect((await change(edge, `"1other.7",, W/${etag} ,`, 'b')).status).toBe(200)
    expect((await change(edge, etag, 'c')).status).toBe(412)
    expect((await change(edge, '*', 'd')).status).toBe(200)
  })
})

describe('an address of the admin API', () => {
  it.each([
    ['GET', '/%ff', 404],
    ['GET', '/%E0%A4', 404],
    ['GET', '/fuzzed%00', 404],
    ['GET', `/${'n'.repeat(5_000)}`, 404],
    ['DELETE', '/fuzzed/overrides/%ff', 422],
    ['DELETE', '/fuzzed/overrides/__proto__', 422],
    ['DELETE', '/fuzzed/overrides/host', 422],
    ['GET', '/fuzzed/health?minutes=1e999', 422],
    ['GET', '/fuzzed/health?minutes=%ff', 422],
    ['GET', '/fuzzed/sessions/%ff', 404],
    ['PUT', '/fuzzed', 404],
  ])('that is wrong is refused: %s %s', async (method, path, status) => {
    const answer = await ask(newEdge(), { method }, URL_OF_ROOM.replace('/fuzzed', path))
    expect([answer.status, answer.type]).toEqual([status, 'application/problem+json'])
  })
})
