import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { isPrefetch, type Kind, kindOf } from '../../../src/edge/request/kind.ts'

const HTML = 'text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8'

const TURBO = {
  Accept: 'text/html, application/xhtml+xml',
  'Sec-Fetch-Dest': 'empty',
  'Sec-Fetch-Mode': 'same-origin',
}

/** Headers as browsers, libraries and programs send them. */
const SENT: readonly [sender: string, kind: Kind, headers: Record<string, string>][] = [
  ['a page load', 'navigation', { Accept: HTML, 'Sec-Fetch-Dest': 'document', 'Sec-Fetch-Mode': 'navigate' }],
  ['a frame', 'navigation', { Accept: HTML, 'Sec-Fetch-Dest': 'iframe', 'Sec-Fetch-Mode': 'navigate' }],
  ['a page load over http', 'navigation', { Accept: HTML }],
  [
    'a service worker in Chromium',
    'navigation',
    { Accept: HTML, 'Sec-Fetch-Dest': 'empty', 'Sec-Fetch-Mode': 'navigate' },
  ],
  [
    'a service worker in Firefox',
    'navigation',
    { Accept: HTML, 'Sec-Fetch-Dest': 'empty', 'Sec-Fetch-Mode': 'same-origin' },
  ],
  ['Turbo, which loads any other answer than HTML for real', 'api', { ...TURBO, 'X-Turbo-Request-Id': 'a' }],
  ['Turbo, for a frame', 'navigation', { ...TURBO, 'X-Turbo-Request-Id': 'a', 'Turbo-Frame': 'part' }],
  ['a library like Turbo', 'navigation', TURBO],
  ['htmx', 'navigation', { Accept: '*/*', 'HX-Request': 'true', 'Sec-Fetch-Dest': 'empty' }],
  ['Unpoly', 'navigation', { Accept: '*/*', 'X-Up-Version': '3.0.0', 'Sec-Fetch-Dest': 'empty' }],
  ['Next.js', 'api', { Accept: '*/*', RSC: '1', 'Sec-Fetch-Dest': 'empty' }],
  [
    'jQuery, for a fragment',
    'navigation',
    { Accept: 'text/html, */*; q=0.01', 'X-Requested-With': 'XMLHttpRequest', 'Sec-Fetch-Dest': 'empty' },
  ],
  ['a list with HTML before JSON', 'navigation', { Accept: 'text/html, application/json', 'Sec-Fetch-Dest': 'empty' }],
  ['a list with JSON before HTML', 'api', { Accept: 'application/json, text/html', 'Sec-Fetch-Dest': 'empty' }],
  ['fetch without an Accept of its own', 'api', { Accept: '*/*', 'Sec-Fetch-Dest': 'empty', 'Sec-Fetch-Mode': 'cors' }],
  ['axios', 'api', { Accept: 'application/json, text/plain, */*', 'Sec-Fetch-Dest': 'empty' }],
  ['a script', 'subresource', { Accept: '*/*', 'Sec-Fetch-Dest': 'script', 'Sec-Fetch-Mode': 'no-cors' }],
  ['an image', 'subresource', { Accept: 'image/avif,*/*;q=0.8', 'Sec-Fetch-Dest': 'image' }],
  ['a module of JSON', 'api', { Accept: 'application/json,*/*;q=0.5', 'Sec-Fetch-Dest': 'json' }],
  ['curl', 'api', { Accept: '*/*' }],
  ['a program that names no type', 'api', {}],
  ['a program that wants JSON', 'api', { Accept: 'application/json' }],
  ['the sender of a payment notice', 'api', { Accept: '*/*; q=0.5, application/xml' }],
  ['XMLHttpRequest over http', 'api', { Accept: 'text/javascript, */*; q=0.01', 'X-Requested-With': 'XMLHttpRequest' }],
  [
    'an image in an app with a web view',
    'subresource',
    { Accept: 'image/webp,*/*', 'X-Requested-With': 'com.shop.app' },
  ],
  ['a page in an app with a web view', 'navigation', { Accept: HTML, 'X-Requested-With': 'com.shop.app' }],
  ['a style over http', 'subresource', { Accept: 'text/css,*/*;q=0.1' }],
]

describe('the kind of a request', () => {
  it.each(SENT)('of %s is %s', (_sender, kind, headers) => {
    expect(kindOf(new Headers(headers))).toBe(kind)
  })

  it('is a page for each request that names HTML, and no JSON, outside the parts of a page', () => {
    const type = fc.constantFrom('text/html', 'TEXT/HTML', 'application/xhtml+xml')
    const others = fc.array(fc.constantFrom('*/*', 'text/plain', 'image/webp', 'text/vnd.turbo-stream.html'))
    const destination = fc.constantFrom(null, 'empty', 'document', 'iframe')
    fc.assert(
      fc.property(type, others, others, destination, (html, before, after, destination) => {
        const headers = new Headers({ Accept: [...before, html, ...after].join(', ') })
        if (destination !== null) headers.set('Sec-Fetch-Dest', destination)
        expect(kindOf(headers)).toBe('navigation')
      }),
    )
  })
})

describe('a request ahead of its user', () => {
  it.each([
    ['Sec-Purpose', 'prefetch'],
    ['Sec-Purpose', 'prefetch;prerender'],
    ['Purpose', 'prefetch'],
    ['X-Purpose', 'preview'],
    ['X-Moz', 'prefetch'],
    ['X-Sec-Purpose', 'prefetch'],
    ['Next-Router-Prefetch', '1'],
    ['Next-Router-Segment-Prefetch', '/_tree'],
    ['X-Middleware-Prefetch', '1'],
  ])('is known by %s: %s', (name, value) => {
    expect(isPrefetch(new Headers({ Accept: '*/*', [name]: value }))).toBe(true)
  })

  it('is no request without such a mark', () => {
    expect(isPrefetch(new Headers({ Accept: '*/*', RSC: '1', 'Sec-Purpose': 'x', Purpose: '' }))).toBe(false)
  })
})
