import { describe, expect, it } from 'vitest'
import { adviceOn } from '../../src/settings/advice.ts'
import { leastDoors } from '../../src/settings/compiled/doors.ts'
import { isOnlyAdminHost, readAdminToken, readDeployment } from '../../src/settings/deployment.ts'
import { SettingsError } from '../../src/settings/messages.ts'
import { fitting, type Overrides, parseRooms, withOverrides } from '../../src/settings/rooms.ts'
import type { RoomConfig } from '../../src/settings/schema.ts'

const shop = { name: 'shop', host: 'shop.example', total_active_users: 100, new_users_per_minute: 60 }

/** Returns the problems of a list of rooms. */
function problemsWith(rooms: unknown): string[] {
  try {
    parseRooms(rooms)
    return []
  } catch (error) {
    if (!(error instanceof SettingsError)) throw error
    return error.problems.map(({ path, message }) => `${path} ${message}`)
  }
}

describe('rate limits', () => {
  const limited = (...rate_limits: unknown[]) => [{ ...shop, rate_limits }]
  const login = { name: 'login', count: 5, period: 300 }

  it('are one generous policy unless the file replaces it', () => {
    expect(parseRooms([shop])[0]?.rate_limits).toMatchObject([
      {
        name: 'session',
        count: 1_200,
        period: 60,
        burst: 600,
        cost: 1,
        key: 'session',
        mode: 'enforce',
        action: 'limit',
      },
    ])
    const own = { name: 'session', count: 60, period: 60, mode: 'off' }
    expect(parseRooms(limited(own))[0]?.rate_limits).toMatchObject([{ name: 'session', mode: 'off' }])
    expect(parseRooms(limited(login))[0]?.rate_limits.map(({ name, burst }) => [name, burst])).toEqual([
      ['login', 5],
      ['session', 600],
    ])
  })

  it.each([
    [{ ...login, count: 0 }, 'count must be a whole number, 1 to 1,000,000, got 0'],
    [{ ...login, period: 100_000 }, 'period must be a whole number, 1 to 86,400, got 100000'],
    [
      { ...login, count: 900_000, period: 60 },
      'count must be at most 60,000 in a period of 60 s (1,000 a second), got 900000',
    ],
    [{ ...login, burst: 2, cost: 3 }, 'cost must be at most the burst (2), or no request would ever pass, got 3'],
    [{ ...login, mode: 'on' }, 'mode must be "enforce" or "shadow" or "off", got "on"'],
    [{ ...login, key: 'address' }, 'key must be "session" or "session+path" or "network", got "address"'],
    [
      { ...login, key: 'network', action: 'requeue' },
      'action must be "limit" where key is "network": no visitor loses a session by what neighbours do, got "requeue"',
    ],
    [
      { ...login, key: 'network', cost: { header: 'X-Cost' } },
      'cost must be a number where key is "network": an answer comes too late to be counted for the whole network',
    ],
    [{ ...login, match: { paths: ['/login'], exact: 'yes' } }, 'match.exact must be true or false, got "yes"'],
    [
      { ...login, match: { paths: ['login'] } },
      'match.paths[0] must be a path pattern like /checkout/* that begins with /, got "login"',
    ],
    [{ ...login, limit: 5 }, 'limit is not a setting'],
  ])('%j is refused, with the policy by its name', (policy, message) => {
    expect(problemsWith(limited(policy))).toEqual([`rooms[0].rate_limits[0].${message} (policy "login")`])
  })

  it('are sixteen at most besides the one of every session, also after a live change', () => {
    const policies = Array.from({ length: 16 }, (_, i) => ({ ...login, name: `p${i}` }))
    const [room] = parseRooms(limited(...policies))
    expect(withOverrides(room as RoomConfig, { message: 'hello' }).rate_limits).toHaveLength(17)
    expect(problemsWith(limited(...policies, login))).toEqual([
      'rooms[0].rate_limits must have at most 16 policies beside session, got 17',
    ])
  })

  it('have unique names', () => {
    expect(problemsWith(limited(login, { ...login, name: 'Login' }))).toEqual([
      'rooms[0].rate_limits[1].name must be unique, "Login" is rate_limits[0] already (policy "Login")',
    ])
    expect(problemsWith(limited({ ...login, name: 'concurrent' }))[0]).toContain('must not be "concurrent"')
  })
})

describe('a room', () => {
  it('needs a name, a host, a total and a rate; the rest has defaults', () => {
    expect(parseRooms([shop])[0]).toMatchObject({
      path: '/',
      session_duration: 5,
      queueing_status_code: 503,
      doors: 'auto',
    })
  })

  it('cannot be changed once it is parsed', () => {
    const [room] = parseRooms([shop])
    expect(() => Object.assign(room ?? {}, { doors: 9 })).toThrow(TypeError)
    expect(() => Object.assign(room?.cookie_attributes ?? {}, { secure: 'never' })).toThrow(TypeError)
  })

  it('has its routes in one normal form', () => {
    const [room] = parseRooms([{ ...shop, host: 'Shop.Example', path: '/sale/' }])
    expect([room?.host, room?.path]).toEqual(['shop.example', '/sale'])
  })
})

/** Bad files. Each is refused with the path, the value and the range. */
const BAD: [name: string, rooms: unknown, message: string][] = [
  ['a text in place of a list', [{ ...shop, lanes: 'x'.repeat(1_000) }], 'rooms[0].lanes must be a list, got "xxx'],
  [
    'an object with a length in place of a list',
    [{ ...shop, alerts: { length: 1e9 } }],
    'alerts must be a list, got {"length":',
  ],
  ['not a list', { rooms: [] }, 'rooms must be a list of rooms, got {"rooms":[]}'],
  [
    'shares of more than everything',
    [
      {
        ...shop,
        lanes: [
          { name: 'vip', share: 0.7 },
          { name: 'press', share: 0.4 },
        ],
      },
    ],
    'rooms[0].lanes must have shares of at most 1 in all, because the main lane gets the rest, got 1.1',
  ],
  [
    'two lanes of one name',
    [
      {
        ...shop,
        lanes: [
          { name: 'vip', share: 0.2 },
          { name: 'vip', share: 0.1 },
        ],
      },
    ],
    'rooms[0].lanes[1].name must be unique, "vip" is lanes[0] already',
  ],
  [
    'a lane named like the main one',
    [{ ...shop, lanes: [{ name: 'main', share: 0.2 }] }],
    'rooms[0].lanes[0].name must be 1 to 32 small letters, digits, - or _, and not main, got "main"',
  ],
  [
    'a share in percent',
    [{ ...shop, lanes: [{ name: 'vip', share: 20 }] }],
    'rooms[0].lanes[0].share must be a number, 0 to 1, got 20',
  ],
  [
    'nine lanes',
    [{ ...shop, lanes: Array.from({ length: 9 }, (_, i) => ({ name: `l${i}`, share: 0.1 })) }],
    'rooms[0].lanes must be at most 8 lanes',
  ],
  ['a missing total', [{ ...shop, total_active_users: undefined }], 'rooms[0].total_active_users is required'],
  [
    'no places',
    [{ ...shop, total_active_users: 0 }],
    'rooms[0].total_active_users must be a whole number, 1 to 10,000,000, got 0',
  ],
  [
    'half a place',
    [{ ...shop, total_active_users: 1.5 }],
    'rooms[0].total_active_users must be a whole number, 1 to 10,000,000, got 1.5',
  ],
  [
    'a rate in words',
    [{ ...shop, new_users_per_minute: '60' }],
    'rooms[0].new_users_per_minute must be a whole number, 0 to 1,000,000, got "60"',
  ],
  [
    'a negative rate',
    [{ ...shop, new_users_per_minute: -1 }],
    'rooms[0].new_users_per_minute must be a whole number, 0 to 1,000,000, got -1',
  ],
  [
    'a session too short',
    [{ ...shop, session_duration: 0.01 }],
    'rooms[0].session_duration must be a number, 0.05 to 1,440, got 0.01',
  ],
  [
    'a session too long',
    [{ ...shop, session_duration: 2_000 }],
    'rooms[0].session_duration must be a number, 0.05 to 1,440, got 2000',
  ],
  [
    'a maximum below the duration',
    [{ ...shop, max_session_duration: 1 }],
    'rooms[0].max_session_duration must be at least session_duration (5), got 1',
  ],
  ['an unknown setting', [{ ...shop, totl_active_users: 5 }], 'rooms[0].totl_active_users is not a setting'],
  [
    'an unknown setting further in',
    [{ ...shop, cookie_attributes: { same_site: 'lax' } }],
    'rooms[0].cookie_attributes.same_site is not a setting',
  ],
  [
    'an unknown method of queueing',
    [{ ...shop, queueing_method: 'lifo' }],
    'rooms[0].queueing_method must be "fifo" or "random" or "passthrough" or "reject", got "lifo"',
  ],
  [
    'a status that hides the waiting',
    [{ ...shop, queueing_status_code: 404 }],
    'rooms[0].queueing_status_code must be 503 or 200 or 202 or 429, got 404',
  ],
  [
    'a host with a scheme',
    [{ ...shop, host: 'https://shop.example' }],
    'rooms[0].host must be a host name, *.example.com or * for every host, without scheme and port, got "https://shop.example"',
  ],
  ['a path without slash', [{ ...shop, path: 'sale' }], 'rooms[0].path must be a path like /shop'],
  ['a path with a dot segment', [{ ...shop, path: '/a/../b' }], 'rooms[0].path must be a path like /shop'],
  ['an empty bypass rule', [{ ...shop, bypass: [{}] }], 'rooms[0].bypass[0] must have at least one condition'],
  [
    'a bypass of no address range',
    [{ ...shop, bypass: [{ cidr: ['10.0.0.0/99'] }] }],
    'rooms[0].bypass[0].cidr[0] must be an address range like 192.0.2.0/24 or 2001:db8::/32, got "10.0.0.0/99"',
  ],
  [
    'a cookie for another domain',
    [{ ...shop, cookie_domain: 'exmaple.com' }],
    'rooms[0].cookie_domain must be the domain of every host of the room, or browsers take no cookie: "shop.example" is not below "exmaple.com"',
  ],
  [
    'a cookie that some hosts cannot take',
    [{ ...shop, host: '*.a.example', additional_routes: [{ host: 'a.org' }], cookie_domain: 'a.example' }],
    'rooms[0].cookie_domain must be the domain of every host of the room, or browsers take no cookie: "a.org" is not below "a.example"',
  ],
  [
    'a cookie that browsers refuse',
    [{ ...shop, cookie_attributes: { samesite: 'none', secure: 'never' } }],
    'rooms[0].cookie_attributes.secure must not be never when samesite is none',
  ],
  [
    'a CORS origin with a path',
    [{ ...shop, cors_origins: ['https://app.example/x'] }],
    'rooms[0].cors_origins[0] must be an origin like https://shop.example, or *, got "https://app.example/x"',
  ],
  [
    'two rooms of one name',
    [shop, { ...shop, path: '/b' }],
    'rooms[1].name must be unique, "shop" is rooms[0] already',
  ],
  [
    'two rooms for one route',
    [shop, { ...shop, name: 'b' }],
    'rooms[1] must not have the same route as rooms[0], got "shop.example/"',
  ],
  [
    'a message that is too long',
    [{ ...shop, message: 'x'.repeat(1_001) }],
    'rooms[0].message must be at most 1,000 characters',
  ],
  [
    'a protected path that is no pattern',
    [{ ...shop, protected_paths: ['/pay/(('] }],
    'rooms[0].protected_paths[0] must be a path pattern like /checkout/* that begins with /, got "/pay/(("',
  ],
]

describe('a bad file', () => {
  it.each(BAD)('is refused: %s', (_name, rooms, message) => {
    expect(problemsWith(rooms)).toEqual([expect.stringContaining(message)])
  })

  it('is refused with all its problems at once', () => {
    expect(problemsWith([{}, { ...shop, doors: 0, x: 1 }])).toHaveLength(6)
  })
})

describe('live changes', () => {
  const [room] = parseRooms([shop])
  if (!room) throw new Error('the example is valid')

  it('override the file, and are validated together with it', () => {
    expect(withOverrides(room, { new_users_per_minute: 5 })).toMatchObject({
      new_users_per_minute: 5,
      total_active_users: 100,
    })
    expect(() => withOverrides(room, { max_session_duration: 2 })).toThrow(
      'max_session_duration must be at least session_duration (5), got 2',
    )
  })

  it('cannot change the host of a room', () => {
    expect(() => withOverrides(room, { host: 'other.example' })).toThrow(
      'host cannot be changed live: change the file and deploy',
    )
  })

  it.each([null, 5, 'x', [1]])('must be an object of settings, not %j', patch => {
    expect(() => withOverrides(room, patch)).toThrow(SettingsError)
  })
})

describe('a deployment', () => {
  it('reads rooms as data or as text', () => {
    expect(readDeployment({ ROOMS: [shop] }).rooms).toHaveLength(1)
    expect(readDeployment({ ROOMS: JSON.stringify([shop]) }).rooms).toHaveLength(1)
    expect(() => readDeployment({ ROOMS: '[' })).toThrow('ROOMS must be JSON')
  })

  it.each([
    ['ORIGIN', 'shop.example', 'ORIGIN must be an address like https://origin.example'],
    ['ORIGIN', 'https://shop.example/path', 'ORIGIN must be an address'],
    ['ORIGIN_HOST_HEADER', 'both', 'ORIGIN_HOST_HEADER must be origin or visitor, got "both"'],
    ['JURISDICTION', 'de', 'JURISDICTION must be eu, us, fedramp, fedramp-high or empty, got "de"'],
    ['CONTROL_PREFIX', '/a/b', 'CONTROL_PREFIX must be one path segment'],
    ['PASSTHROUGH_HOSTS', ['https://img.example'], 'PASSTHROUGH_HOSTS[0] must be a host name'],
    ['PASSTHROUGH_HOSTS', 'img.example, -', 'PASSTHROUGH_HOSTS[1] must be a host name'],
    ['ORIGIN_ADDRESSES', ['shop.example'], 'ORIGIN_ADDRESSES[0] must be an address or a range of at most a /16'],
    ['ORIGIN_ADDRESSES', '192.0.2.1, 0.0.0.0/0', 'ORIGIN_ADDRESSES[1] must be an address or a range'],
    ['ORIGIN_ADDRESSES', ['2001:db8::/16'], 'ORIGIN_ADDRESSES[0] must be an address or a range'],
    [
      'ORIGIN_ADDRESSES',
      ['192.0.2.1', '127.0.0.1'],
      'ORIGIN_ADDRESSES[1] must be public where TRUSTED_IP_HEADER names',
    ],
    ['ORIGIN_ADDRESSES', ['fd00::/64'], 'ORIGIN_ADDRESSES[0] must be public'],
    ['ADMIN_HOST', 'shop.example', "ADMIN_HOST must not be a room's host"],
  ])('refuses %s = %s', (name, value, message) => {
    expect(() => readDeployment({ ROOMS: [shop], [name]: value })).toThrow(message)
  })

  it('knows the addresses from which the site calls itself, in any form', () => {
    const variables = { ROOMS: [shop], TRUSTED_IP_HEADER: 'X-Real-IP' }
    for (const ORIGIN_ADDRESSES of [
      ['192.0.2.1', '10.0.0.0/24', '2001:DB8::1'],
      '192.0.2.1,10.0.0.0/24, 2001:db8:0::1',
    ]) {
      const { originAddresses } = readDeployment({ ...variables, ORIGIN_ADDRESSES })
      const has = (address: string | null) => originAddresses.has(address)
      expect(['192.0.2.1', '10.0.0.7', '2001:db8::1'].map(has)).toEqual([true, true, true])
      expect(['192.0.2.2', '10.0.1.7', '2001:db8::2', 'x', null].map(has)).toEqual(Array(5).fill(false))
    }
    expect(readDeployment(variables).originAddresses.has('192.0.2.1')).toBe(false)
  })

  it.each([
    ['admin.example', 'https://admin.example/', true],
    ['admin.example', 'http://admin.example:8787/', true],
    ['admin.example:8787', 'http://admin.example:8787/', true],
    ['admin.example:8787', 'http://admin.example/', false],
    ['admin.example', 'https://shop.example/', false],
    ['*', 'https://shop.example/', false],
  ])('with ADMIN_HOST %s keeps shops off %s: %s', (ADMIN_HOST, url, isIts) => {
    expect(isOnlyAdminHost(readDeployment({ ROOMS: [shop], ADMIN_HOST }), new URL(url))).toBe(isIts)
  })

  it('refuses an admin token that could be guessed', () => {
    expect(readAdminToken({})).toBeNull()
    expect(readAdminToken({ ADMIN_TOKEN: 'x'.repeat(32) })).toBe('x'.repeat(32))
    expect(() => readAdminToken({ ADMIN_TOKEN: 'secret' })).toThrow(
      'ADMIN_TOKEN must have at least 32 characters, got 6',
    )
    for (const token of ['x'.repeat(513), `${'x'.repeat(32)}\n`, `${'x'.repeat(16)} ${'x'.repeat(16)}`]) {
      expect(() => readAdminToken({ ADMIN_TOKEN: token })).toThrow(
        'ADMIN_TOKEN must have at most 512 characters, all of them printable ASCII and none a space or a line break',
      )
    }
  })

  it('gives advice on settings that are allowed but probably not meant', () => {
    const advice = adviceOn(parseRooms([{ ...shop, host: '*', total_active_users: 100_000 }]), Date.now())
    expect(advice.join('\n')).toMatch(/far below total_active_users[\s\S]*no bypass rule[\s\S]*every host/)
  })
})

describe('the doors of a room', () => {
  const leastOf = (settings: object) => leastDoors(parseRooms([{ ...shop, ...settings }])[0] as RoomConfig)
  const event = { name: 'sale', event_start_time: '2099-01-01T10:00:00Z', event_end_time: '2099-01-01T12:00:00Z' }

  it.each([
    ['one for a small room', { new_users_per_minute: 600, total_active_users: 2_000 }, 1],
    ['one for every 6,000 admissions a minute', { new_users_per_minute: 24_001, total_active_users: 30_000 }, 5],
    ['one for few places, whatever the rate is', { new_users_per_minute: 60_000, total_active_users: 10 }, 1],
    [
      'one for every 10,000 sessions that the rate allows',
      { new_users_per_minute: 6_000, session_duration: 10, total_active_users: 10_000_000 },
      8,
    ],
    [
      'enough for the greatest event',
      {
        new_users_per_minute: 600,
        total_active_users: 2_000,
        events: [{ ...event, new_users_per_minute: 12_000, total_active_users: 20_000 }],
      },
      2,
    ],
    ['ten where the settings mean no limit', { new_users_per_minute: 1_000_000, total_active_users: 10_000_000 }, 10],
  ])('are at least %s', (_, settings, doors) => {
    expect(leastOf(settings)).toBe(doors)
  })

  it('have advice where their number is too small for the settings', () => {
    const big = { new_users_per_minute: 60_000, total_active_users: 100_000, session_duration: 5 }
    const adviceOf = (doors: number | 'auto') =>
      adviceOn(parseRooms([{ ...shop, ...big, doors }]), Date.now()).filter(text => text.includes('doors'))
    expect(adviceOf(1)).toEqual([
      expect.stringContaining('doors = 1 is few for this rate and these places, which need 10'),
    ])
    expect([...adviceOf(10), ...adviceOf('auto')]).toEqual([])
  })

  it('are a number or "auto"', () => {
    expect(() => parseRooms([{ ...shop, doors: 'many' }])).toThrow(
      'must be "auto" or a whole number, 1 to 100, got "many"',
    )
  })
})

describe('advice on the cookie', () => {
  const adviceOf = (settings: object) =>
    adviceOn(parseRooms([{ ...shop, ...settings }]), Date.now()).filter(text => text.includes('samesite'))
  const none = { cookie_attributes: { samesite: 'none' } }

  it('names a cookie for frames that is not partitioned', () => {
    for (const frame_ancestors of [[], ['self', 'https://partner.example']])
      expect(adviceOf({ ...none, frame_ancestors })).toEqual([expect.stringContaining('without partitioned = true')])
  })

  it('is not given on a partitioned cookie, without frames, or by default', () => {
    expect(adviceOf({ cookie_attributes: { samesite: 'none', partitioned: true } })).toEqual([])
    for (const frame_ancestors of [['self'], ['none']]) expect(adviceOf({ ...none, frame_ancestors })).toEqual([])
    expect(adviceOf({})).toEqual([])
  })
})

describe('frame_ancestors', () => {
  const problems = (frame_ancestors: unknown) => problemsWith([{ ...shop, frame_ancestors }])

  it.each([[[]], [['self']], [['none']], [['self', 'https://shop.example', 'https://*.shop.example:8443']]])(
    'accepts %j',
    sources => expect(problems(sources)).toEqual([]),
  )

  it.each([
    "'self'",
    '*',
    'shop.example',
    'https://shop.example/',
    'https://a;b.example',
    'https:',
    '',
    "https://x 'self'",
  ])('refuses %j', source => {
    const message = 'must be self, none or an origin like https://shop.example or https://*.shop.example'
    expect(problems([source])).toEqual([`rooms[0].frame_ancestors[0] ${message}, got ${JSON.stringify(source)}`])
  })

  it('refuses another source beside none, and more than 20 sources', () => {
    expect(problems(['none', 'self'])).toEqual(['rooms[0].frame_ancestors must have no other entry beside none'])
    expect(problems(Array(21).fill('self'))).toEqual(['rooms[0].frame_ancestors must have at most 20 entries, got 21'])
  })
})

describe('a live change that would rename the cookie', () => {
  it('is refused, because all visitors would lose their places', () => {
    const [room] = parseRooms([{ ...shop, cookie_attributes: { secure: 'always' } }])
    if (!room) throw new Error('no room')
    expect(() => withOverrides(room, { cookie_attributes: { samesite: 'none', secure: 'auto' } })).toThrow(
      'cookie_attributes.secure names the cookie, and cannot be changed live: give it as it is in the file, "always"',
    )
    const changed = withOverrides(room, { cookie_attributes: { samesite: 'strict', secure: 'always' } })
    expect(changed.cookie_attributes).toMatchObject({ samesite: 'strict', secure: 'always' })
  })
})

describe('stored live changes, after a new file was deployed', () => {
  const kept = { new_users_per_minute: 30, queue_all: true }
  const [file] = parseRooms([{ ...shop, max_session_duration: 10 }]) as [RoomConfig]

  it.each<[string, Record<string, unknown>, string]>([
    ['of a setting that there is no more', { gone: 1 }, 'gone'],
    ['that the file now forbids', { session_duration: 20 }, 'max_session_duration'],
    ['of an upstream that was taken out', { health_pins: { breakers: { cards: 'open' } } }, 'health_pins'],
    ['out of range since', { session_duration: 1e9 }, 'session_duration'],
  ])('lose one %s, and keep the others', (_, change, path) => {
    const { overrides, problems } = fitting(file, { ...kept, ...change } as Overrides)
    expect(overrides).toEqual(kept)
    expect(problems.map(problem => problem.path.split('.')[0])).toEqual([path])
  })

  it('lose each one that does not fit the file, and keep those that fit', () => {
    const { overrides } = fitting(file, { queue_all: 3, gone: 1, session_duration: 20 } as unknown as Overrides)
    expect(overrides).toEqual({})
    expect(fitting(file, kept)).toEqual({ overrides: kept, problems: [] })
  })
})

describe('the challenge of a room', () => {
  const room = (challenge: unknown) => [{ ...shop, challenge }]

  it('is off by default, and is a calculation', () => {
    const [parsed] = parseRooms([shop])
    expect(parsed?.challenge).toEqual({ when: 'off', failed: 'again', provider: 'pow', site_key: '' })
  })

  it('of Turnstile needs a site key', () => {
    expect(problemsWith(room({ when: 'always', provider: 'turnstile' }))).toEqual([
      'rooms[0].challenge.site_key must be the site key of a Turnstile widget where provider is "turnstile", got ""',
    ])
    expect(problemsWith(room({ when: 'sometimes' }))).toEqual([
      'rooms[0].challenge.when must be "off" or "crowded" or "always", got "sometimes"',
    ])
  })

  it('has advice about its secret, a key without use, and pages that cannot solve it', () => {
    const adviceOf = (challenge: unknown, more: object = {}) =>
      adviceOn(parseRooms([{ ...shop, challenge, ...more }]), 0).filter(text => text.includes('challenge'))
    const turnstile = { when: 'crowded', provider: 'turnstile', site_key: '1x0' }
    expect(adviceOf(turnstile)).toEqual([expect.stringContaining('needs the secret TURNSTILE_SECRET')])
    expect(adviceOf({ site_key: '1x0' })).toEqual([expect.stringContaining('site_key is not used')])
    const page = { custom_page_html: '<h1>Wait</h1>' }
    expect(adviceOf({ when: 'crowded' }, page)).toEqual([expect.stringContaining('has no {{{antesala}}}')])
    expect(adviceOf({ when: 'crowded' }, { custom_page_html: '{{{antesala}}}' })).toEqual([])
  })
})
