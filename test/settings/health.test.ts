import { describe, expect, it } from 'vitest'
import { readingsOf } from '../../src/core/path.ts'
import { adviceOn } from '../../src/settings/advice.ts'
import { compile } from '../../src/settings/compiled/room.ts'
import { SettingsError } from '../../src/settings/messages.ts'
import { parseRooms } from '../../src/settings/rooms.ts'
import type { RoomConfig } from '../../src/settings/schema.ts'
import { RULES } from '../../tools/health/control.ts'

const shop = { name: 'shop', host: 'shop.example', total_active_users: 100, new_users_per_minute: 60 }
const cards = { name: 'cards', paths: ['/pay/*'] }

function problemsWith(more: unknown): string[] {
  try {
    parseRooms([{ ...shop, ...(more as object) }])
    return []
  } catch (error) {
    if (!(error instanceof SettingsError)) throw error
    return error.problems.map(({ path, message }) => `${path} ${message}`)
  }
}

function settingsOf(more: object) {
  const [room] = parseRooms([{ ...shop, ...more }])
  return compile(room as RoomConfig)
}

describe('health', () => {
  it('is on by default, with a target of half a second', () => {
    expect(settingsOf({}).health.rules).toEqual({
      mode: 'enforce',
      badWindows: 2,
      goodWindows: 3,
      sessionsMin: 10,
      cooldownMs: 180_000,
      rampMs: 120_000,
      upstreams: [{ name: 'origin', critical: true, apdexTarget: 0.85, openMs: 30_000 }],
      pins: { ratePerMinute: null, sessions: null, breakers: {} },
    })
    expect(RULES).toEqual(settingsOf({}).health.rules)
    expect(settingsOf({}).health.origin).toMatchObject({ name: 'origin', targetMs: 500, timeoutMs: 10_000 })
  })

  it.each([
    [{ health: { mode: 'on' } }, 'rooms[0].health.mode must be "enforce" or "shadow" or "off", got "on"'],
    [{ health: { target_ms: 5 } }, 'rooms[0].health.target_ms must be a whole number, 10 to 60,000, got 5'],
    [{ health: { apdex_target: 1 } }, 'rooms[0].health.apdex_target must be a number, 0.5 to 0.99, got 1'],
    [{ health: { bad_windows: 0 } }, 'rooms[0].health.bad_windows must be a whole number, 1 to 12, got 0'],
    [{ health: { cooldown: -1 } }, 'rooms[0].health.cooldown must be a number, 0 to 60, got -1'],
    [{ health: { target: 500 } }, 'rooms[0].health.target is not a setting'],
    [
      { health: { probe: { path: 'ready' } } },
      'rooms[0].health.probe.path must be a path like /health that begins with one /, got "ready"',
    ],
    [
      { health: { probe: { path: '//evil' } } },
      'rooms[0].health.probe.path must be a path like /health that begins with one /, got "//evil"',
    ],
    [
      { health: { probe: { path: '/', interval: 0 } } },
      'rooms[0].health.probe.interval must be a number, 1 to 300, got 0',
    ],
    [{ health: { shed: { paths: [] } } }, 'rooms[0].health.shed.paths must have at least one path'],
    [
      { upstreams: [{ ...cards, name: 'origin' }] },
      'rooms[0].upstreams[0].name must not be "origin": that is everything which no upstream names',
    ],
    [{ upstreams: [cards, cards] }, 'rooms[0].upstreams[1].name must be unique, "cards" is upstreams[0] already'],
    [
      { upstreams: [{ ...cards, paths: ['pay'] }] },
      'rooms[0].upstreams[0].paths[0] must be a path pattern like /checkout/* that begins with /, got "pay"',
    ],
    [{ upstreams: [{ ...cards, timeout: 0 }] }, 'rooms[0].upstreams[0].timeout must be a number, 0.1 to 100, got 0'],
    [
      { upstreams: [{ ...cards, breaker: { open: 9 } }] },
      'rooms[0].upstreams[0].breaker.open must be a number, 0.05 to 5, got 9',
    ],
    [
      { upstreams: [{ ...cards, fallback: { answer: 'redirect', to: '/pay/sorry' } }] },
      'rooms[0].upstreams[0].fallback.to must not be a path of the upstream itself, got "/pay/sorry"',
    ],
    [
      {
        upstreams: [
          { ...cards, paths: ['/pay'], fallback: { answer: 'redirect', to: '/search?why=pay' } },
          { name: 'search', paths: ['/search'], fallback: { answer: 'redirect', to: '/pay' } },
        ],
      },
      'rooms[0].upstreams[0].fallback.to must not lead back to the upstream itself when search is out, too, got "/search?why=pay"',
    ],
    [{ upstreams: null }, 'rooms[0].upstreams must be a list, got null'],
    [{ health: 5 }, 'rooms[0].health must be an object of settings, got 5'],
    [
      { lanes: [{ name: 'constructor', share: 0.5 }] },
      'rooms[0].lanes[0].name must not be "constructor": every object has one',
    ],
    [
      { upstreams: [{ ...cards, name: 'constructor' }] },
      'rooms[0].upstreams[0].name must not be "constructor": every object has one',
    ],
    [
      { upstreams: [{ ...cards, fallback: { answer: 'redirect', to: 'https://evil.example' } }] },
      'rooms[0].upstreams[0].fallback.to must be a path like /health that begins with one /, got "https://evil.example"',
    ],
    [
      { upstreams: [{ ...cards, fallback: { answer: 'shrug' } }] },
      'rooms[0].upstreams[0].fallback.answer must have an answer that is "problem", "page" or "redirect", got {"answer":"shrug"}',
    ],
    [
      { health_pins: { breakers: { search: 'open' } } },
      'rooms[0].health_pins.breakers.search is no upstream: the upstreams are origin',
    ],
    [
      { health_pins: { total_active_users: 0 } },
      'rooms[0].health_pins.total_active_users must be a whole number, 1 to 10,000,000, got 0',
    ],
  ])('%j is refused', (more, message) => {
    expect(problemsWith(more)).toContain(message)
  })

  it('leads to advice on a probe without an address, and on shadow mode', () => {
    const advice = adviceOn(
      parseRooms([{ ...shop, host: '*', health: { mode: 'shadow', probe: { path: '/ready' } } }]),
      0,
    ).join('\n')
    expect(advice).toContain('health.mode = "shadow" only writes down what it would do')
    expect(advice).toContain('the probe of origin needs ORIGIN, or a room with one host')
  })
})

describe('an upstream', () => {
  const { health } = settingsOf({
    origin_timeout: 5,
    upstreams: [
      { ...cards, methods: ['POST'], timeout: 30, target_ms: 2_000 },
      { name: 'search', paths: ['/search'] },
    ],
  })
  const of = (path: string, method = 'GET') => health.upstreamsOf(readingsOf(path), method)
  const namesOf = (path: string, method = 'GET') => of(path, method).map(({ name }) => name)

  it('gets the requests of its paths and methods, in any spelling, with its own timeout and target', () => {
    const [cardsOnly, ...none] = of('/pay/now', 'POST')
    expect(cardsOnly).toMatchObject({ name: 'cards', timeoutMs: 30_000, targetMs: 2_000 })
    expect(none).toEqual([])
    expect(of('/search')[0]).toMatchObject({ name: 'search', timeoutMs: 5_000, targetMs: 500 })
    expect(namesOf('/pay%2fnow', 'POST')).toEqual(['cards', 'origin'])
  })

  it('shares an unreadable path with all upstreams of the same method', () => {
    expect(namesOf('/pay/now%00', 'POST')).toEqual(['origin', 'cards', 'search'])
    expect(namesOf('/pay/now%00')).toEqual(['origin', 'search'])
  })

  it('gets its paths under other names, too, unless it is exact', () => {
    expect(['/search/', '/search.json', '/search/index.php', '/pay'].map(path => namesOf(path, 'POST')[0])).toEqual([
      ...['search', 'search', 'search', 'cards'],
    ])
    const { upstreamsOf } = settingsOf({ upstreams: [{ name: 'search', paths: ['/search'], exact: true }] }).health
    expect(['/search', '/search/', '/search.json'].map(path => upstreamsOf(readingsOf(path), 'GET')[0].name)).toEqual([
      ...['search', 'origin', 'origin'],
    ])
  })

  it('leaves everything else to the origin', () => {
    expect(namesOf('/pay/now')).toEqual(['origin'])
    expect(namesOf('/searching')).toEqual(['origin'])
  })
})
