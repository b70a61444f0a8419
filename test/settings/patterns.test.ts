import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { readingsOf } from '../../src/core/path.ts'
import { Routes } from '../../src/edge/request/room-routes.ts'
import { compile } from '../../src/settings/compiled/room.ts'
import { bypassPath, pathRule } from '../../src/settings/patterns.ts'
import { parseRooms } from '../../src/settings/rooms.ts'

const shop = { name: 'shop', host: 'shop.example', total_active_users: 100, new_users_per_minute: 60 }
const inOrder = { ignoreCase: false }

const word = fc.constantFrom('login', 'a', 'item', 'x1', 'caf\u00e9', 'wp-login', 'v2')
const plainPath = fc.array(word, { minLength: 1, maxLength: 4 }).map(segments => `/${segments.join('/')}`)

const percent = (text: string) =>
  [...new TextEncoder().encode(text)].map(byte => `%${byte.toString(16).padStart(2, '0')}`).join('')

/** Other spellings of a path: `at` chooses a slash or a character. */
const MUTATIONS: readonly ((path: string, at: number) => string)[] = [
  path => `${path}/`,
  path => `${path}//`,
  path => `${path}/.`,
  path => `${path}/./`,
  path => `${path}%2f`,
  path => `${path}%2F%2f`,
  path => `${path}%252f`,
  path => `${path}\\`,
  path => `${path}%5c`,
  path => `${path}%20`,
  path => `${path}%20/`,
  path => `${path}%c2%a0`,
  path => suffixed(path, '.json'),
  path => suffixed(path, '.'),
  path => suffixed(path, '.tar.gz'),
  path => suffixed(path, '.json/'),
  path => `${path};v=1`,
  path => `${path};`,
  path => `${path}/index.php`,
  path => `${path}/INDEX.html`,
  path => `/index.php${path}`,
  path => `/${path}`,
  path => `/.${path}`,
  path => `/q/..${path}`,
  path => `/q%2f..${path}`,
  path => `/q/%2e%2e${path}`,
  (path, at) => atSlash(path, at, '//'),
  (path, at) => atSlash(path, at, '/./'),
  (path, at) => atSlash(path, at, '/q/../'),
  (path, at) => atSlash(path, at, '/;a=b/'),
  (path, at) => atSlash(path, at, '/%20'),
  (path, at) => atSlash(path, at, '%20/'),
  (path, at) => atSlash(path, at, ';a/'),
  (path, at) => atSlash(path, at, '\\'),
  (path, at) => {
    const i = 1 + (at % (path.length - 1))
    const one = path[i] ?? ''
    return /[\w]/.test(one) && path[i - 1] !== '%' && path[i - 2] !== '%'
      ? path.slice(0, i) + percent(one) + path.slice(i + 1)
      : path
  },
]

/** Adds a format suffix to a name, but not after a slash, where it would be a hidden file. */
function suffixed(path: string, suffix: string): string {
  return /\w$/.test(path) && !/%.{0,7}$/.test(path) ? path + suffix : path
}

/** Replaces one slash of the path, but never the first slash, because a path must begin with a slash. */
function atSlash(path: string, at: number, by: string): string {
  const slashes = [...path].flatMap((character, i) => (character === '/' && i > 0 ? [i] : []))
  const slash = slashes[at % slashes.length]
  return slash === undefined ? path : path.slice(0, slash) + by + path.slice(slash + 1)
}

const spelling = fc.tuple(
  plainPath,
  fc.array(fc.tuple(fc.nat(MUTATIONS.length - 1), fc.nat(100)), { minLength: 1, maxLength: 3 }),
)

function mutated(path: string, mutations: readonly (readonly [number, number])[]): string {
  const [first, ...others] = path
  const encoded = first + others.join('').replaceAll(/[^\x20-\x7e]+/g, percent)
  return mutations.reduce((text, [which, at]) => MUTATIONS[which]?.(text, at) ?? text, encoded)
}

/** A room that protects, limits and sheds this path and has it as an upstream. The policy `each` counts every path. */
function roomOf(path: string, more: object = {}) {
  const [config] = parseRooms([
    {
      ...shop,
      protected_paths: [path],
      rate_limits: [
        { name: 'path', match: { paths: [path] }, count: 5, period: 60, key: 'session+path' },
        { name: 'each', match: { paths: ['/*'] }, count: 5, period: 60, key: 'session+path' },
      ],
      upstreams: [{ name: 'part', paths: [path] }],
      health: { shed: { paths: [path] } },
      ...more,
    },
  ])
  if (!config) throw new Error('a room was expected')
  return config
}

describe('a rule that limits, protects or closes', () => {
  it('matches every spelling of its path, and counts them in one bucket', () => {
    fc.assert(
      fc.property(spelling, ([path, mutations]) => {
        const config = roomOf(path)
        const settings = compile(config)
        const text = mutated(path, mutations)
        const readings = readingsOf(text)
        const [own, each] = settings.policies
        expect(own?.matches('GET', readings), text).toBe(true)
        expect(settings.health.shed?.matches(readings), text).toBe(true)
        expect(
          settings.health.upstreamsOf(readings, 'GET').map(({ name }) => name),
          text,
        ).toContain('part')
        if (readings.unreadable) return
        expect(settings.isProtected(readings), text).toBe(true)
        // A slash may end a path parameter or be a part of it. The request is charged to the shorter path.
        if (/;[^/]*(\\|%2f|%5c|%252f)/i.test(text)) return
        const base = readingsOf(mutated(path, []))
        expect(own?.paths.nameOf(readings), text).toBe(own?.paths.nameOf(base))
        expect(each?.paths.nameOf(readings), text).toBe(each?.paths.nameOf(base))
      }),
      { numRuns: 3_000 },
    )
  })

  it('puts every spelling of a path under the room of that path', () => {
    fc.assert(
      fc.property(spelling, ([path, mutations]) => {
        if (/[^\x20-\x7e]/.test(path)) return
        const routes = new Routes(
          parseRooms([
            { ...shop, path },
            { ...shop, name: 'all' },
          ]),
        )
        const text = mutated(path, mutations)
        expect(routes.roomsOf('shop.example', readingsOf(text)), text).toContain('shop')
      }),
      { numRuns: 2_000 },
    )
  })

  it('matches a folder by its wildcard, and a script by its name with any path after it', () => {
    const has = (pattern: string, path: string) => pathRule([pattern], inOrder).matches(readingsOf(path))
    expect(['/cart', '/cart/', '/cart/x', '/cart.json', '/carts'].map(path => has('/cart/*', path))).toEqual([
      ...[true, true, true, true, false],
    ])
    expect(['/wp-login.php', '/wp-login.php/x', '/wp-login.phpx'].map(path => has('/wp-login.php', path))).toEqual([
      ...[true, true, false],
    ])
    expect([has('/item/:id', '/item/1/'), has('/item/:id/', '/item/1'), has('/item/:id', '/item/1/2')]).toEqual([
      ...[true, true, false],
    ])
    expect(has('/feed.xml', '/feed')).toBe(false)
  })

  it('that is exact matches every reading of its path, but no other name', () => {
    const exact = pathRule(['/login', '/a/:id'], { ...inOrder, exact: true })
    const has = (path: string) => exact.matches(readingsOf(path))
    expect(['/login', '/%6cogin', '//login', '/./login', '/login;v=1', '/login%20', '/a/1'].map(has)).toEqual(
      Array(7).fill(true),
    )
    expect(['/login/', '/login.json', '/login/index.php', '/index.php/login', '/a/1/'].map(has)).toEqual(
      Array(5).fill(false),
    )
    expect([exact.nameOf(readingsOf('/a/1;v=2')), exact.nameOf(readingsOf('/a/1.5'))]).toEqual(['/a/1', '/a/1.5'])
  })

  it('treats a path that goes up in only one reading as unreadable', () => {
    const rule = pathRule(['/*'], inOrder)
    const spellings = ['/q1/..%5clogin', '/q2/..%2flogin', '/q3%2f..%2flogin', '/q4/..;/login', '/q5/..%20/login']
    expect(spellings.map(path => rule.nameOf(readingsOf(path)))).toEqual(Array(5).fill('?'))
    expect(spellings.every(path => rule.matches(readingsOf(path)))).toBe(true)
  })

  it('counts each path after a script by itself if its pattern goes beyond the script', () => {
    const rule = pathRule(['/product.php/*'], inOrder)
    const names = ['/product.php/1', '/product.php/2', '/product.php/1/', '/product.php'].map(path =>
      rule.nameOf(readingsOf(path)),
    )
    expect(names).toEqual(['/product.php/1', '/product.php/2', '/product.php/1', '/product.php'])
  })
})

describe('a bypass rule', () => {
  it('lets a spelling pass only if every server reads it as the path of the rule', () => {
    fc.assert(
      fc.property(spelling, ([path, mutations]) => {
        const text = mutated(path, mutations)
        if (!bypassPath(path)(readingsOf(text))) return
        const { pathname } = new URL(`https://shop.example${text}`)
        expect(decodeURIComponent(decodeURIComponent(pathname)), text).toBe(path)
      }),
      { numRuns: 3_000 },
    )
  })

  it('matches neither other names of its path nor unreadable paths', () => {
    const isBy = bypassPath('/hooks/*')
    expect(['/hooks/x', '/hooks/', '/hooks/%78'].map(path => isBy(readingsOf(path)))).toEqual([true, true, true])
    const others = ['/hooks', '/hooks.json', '/hooks/x%20', '/hooks/x;a', '/hooks//x', '/hooks/%00', '/hooks/..%2fpay']
    expect(others.map(path => isBy(readingsOf(path)))).toEqual(others.map(() => false))
  })
})
