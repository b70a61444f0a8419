import { describe, expect, it } from 'vitest'
import { parseRooms } from '../../../src/settings/rooms.ts'
import { bypassFrom } from '../../../tools/import/bypass.ts'
import { readCloudflare } from '../../../tools/import/read.ts'
import { importRooms } from '../../../tools/import/rooms.ts'

const NOW = Date.parse('2026-11-20T00:00:00Z')

/** A waiting room as the API answers it. */
const SHOP = {
  id: '699d98642c564d2e855e9661899b7252',
  created_on: '2026-01-01T05:20:00.12345Z',
  modified_on: '2026-01-01T05:20:00.12345Z',
  name: 'shop_sale',
  description: 'Production',
  host: 'shop.example.com',
  path: '/shop/',
  suspended: false,
  queue_all: false,
  new_users_per_minute: 200,
  total_active_users: 300,
  session_duration: 10,
  disable_session_renewal: false,
  json_response_enabled: true,
  queueing_method: 'fifo',
  queueing_status_code: 200,
  custom_page_html: '{{#waitTimeKnown}} {{waitTime}} mins {{/waitTimeKnown}}',
  default_template_language: 'de-DE',
  cookie_attributes: { samesite: 'auto', secure: 'auto' },
  cookie_suffix: '',
  additional_routes: [{ host: 'www.example.com', path: '/sale' }],
  turnstile_mode: 'invisible',
  turnstile_action: 'log',
  enabled_origin_commands: ['revoke'],
  next_event_start_time: null,
}
const EVENT = {
  id: '25756b2dfe6e378a06b033b670413757',
  name: 'black friday',
  event_start_time: '2026-11-27T09:00:00Z',
  event_end_time: '2026-11-27T20:00:00Z',
  prequeue_start_time: '2026-11-27T08:00:00Z',
  shuffle_at_event_start: true,
  suspended: false,
  new_users_per_minute: 500,
  total_active_users: 1_000,
  session_duration: null,
  queueing_method: 'random',
  custom_page_html: null,
}
const rule = (expression: string, more: object = {}) => ({
  id: 'r',
  action: 'bypass_waiting_room',
  expression,
  description: '',
  enabled: true,
  ...more,
})
const answer = (name: string, result: unknown) => ({
  name,
  text: JSON.stringify({ success: true, errors: [], result }),
})
const from = (...files: { name: string; text: string }[]) => importRooms(readCloudflare(files), NOW)

describe('the import from Cloudflare', () => {
  it('makes a valid room of a waiting room with its rules, events and settings', () => {
    const { rooms, notCarriedOver } = from(
      answer('rooms.json', [SHOP]),
      answer('rules.json', [rule('starts_with(http.request.uri.path, "/shop/api/")'), rule('not ip.src eq 1.2.3.4')]),
      answer('events.json', [EVENT, { ...EVENT, name: 'old', event_end_time: '2026-01-01T00:00:00Z' }]),
      answer('settings.json', { search_engine_crawler_bypass: true }),
    )
    expect(rooms).toEqual([
      {
        name: 'shop_sale',
        host: 'shop.example.com',
        path: '/shop/',
        total_active_users: 300,
        new_users_per_minute: 200,
        session_duration: 10,
        disable_session_renewal: false,
        queue_all: false,
        suspended: false,
        queueing_method: 'fifo',
        queueing_status_code: 200,
        custom_page_html: SHOP.custom_page_html,
        additional_routes: [{ host: 'www.example.com', path: '/sale' }],
        cookie_attributes: { samesite: 'auto', secure: 'auto' },
        bypass: [{ path: '/shop/api/*' }, { verified_crawler: true }],
        events: [
          {
            name: 'black-friday',
            event_start_time: '2026-11-27T09:00:00Z',
            event_end_time: '2026-11-27T20:00:00Z',
            prequeue_start_time: '2026-11-27T08:00:00Z',
            shuffle_at_event_start: true,
            suspended: false,
            total_active_users: 1_000,
            new_users_per_minute: 500,
            queueing_method: 'random',
          },
        ],
      },
    ])
    expect(notCarriedOver.map(text => text.slice(0, 60))).toEqual([
      'shop_sale: the rule "not ip.src eq 1.2.3.4": its expression ',
      'shop_sale: the event old: it is over',
      'shop_sale: turnstile_mode: there are no challenges yet. Rate',
      'shop_sale: default_template_language de-DE: pages speak the ',
    ])
    expect(() => parseRooms(rooms)).not.toThrow()
  })

  it('reads a state of Terraform', () => {
    const resource = (type: string, attributes: object) => ({
      mode: 'managed',
      type,
      name: 'x',
      instances: [{ attributes }],
    })
    const { id, ...rest } = SHOP
    const state = {
      version: 4,
      resources: [
        resource('cloudflare_zone', { id: 'z' }),
        resource('cloudflare_waiting_room_event', { ...EVENT, waiting_room_id: id }),
        resource('cloudflare_waiting_room_rules', {
          waiting_room_id: id,
          rules: [
            { action: 'bypass_waiting_room', expression: 'ip.src in {10.0.0.0/8 2001:db8::1}', status: 'enabled' },
          ],
        }),
        resource('cloudflare_waiting_room', {
          ...rest,
          id,
          cookie_attributes: [{ samesite: 'none', secure: 'always' }],
        }),
        resource('cloudflare_waiting_room_settings', { search_engine_crawler_bypass: false }),
      ],
    }
    const { rooms } = from({ name: 'terraform.tfstate', text: JSON.stringify(state) })
    expect(rooms).toHaveLength(1)
    expect(rooms[0]).toMatchObject({
      cookie_attributes: { samesite: 'none', secure: 'always' },
      bypass: [{ cidr: ['10.0.0.0/8', '2001:db8::1/128'] }],
      events: [{ name: 'black-friday' }],
    })
    expect(() => parseRooms(rooms)).not.toThrow()
  })

  it('gives rules to the room that the name of their file contains, if there are several', () => {
    const other = { ...SHOP, id: 'b', name: 'shop', host: 'b.example.com' }
    const rooms = answer('all.json', [SHOP, other])
    const rules = [rule('http.request.uri.path eq "/x"')]
    expect(from(rooms, answer('out/shop_sale-rules.json', rules)).rooms[0]).toHaveProperty('bypass')
    expect(from(rooms, answer('shop-rules.json', rules)).rooms[1]).toHaveProperty('bypass')
    expect(() => from(rooms, answer('rules.json', rules))).toThrow(
      'rules.json does not name its room: put one of shop_sale, shop into the name of the file',
    )
  })

  it('renames a room that cannot keep its name, and reports it', () => {
    const { rooms, notCarriedOver } = from(
      answer('a.json', [{ ...SHOP, name: '_Shop der Woche_und viel zu lange benannt' }]),
    )
    expect(rooms[0]).toMatchObject({ name: 'Shop-der-Woche_und-viel-zu-lange' })
    expect(notCarriedOver[0]).toContain('the name _Shop der Woche')
  })

  it.each([
    ['{', 'a.json is not JSON'],
    ['5', 'a.json must be an answer of the API or a state of Terraform'],
    ['{"result": [{"id": "zone"}]}', 'a.json has neither waiting rooms nor rules, events or settings of them'],
    ['{"result": []}', 'the files contain no waiting room'],
  ])('refuses %j', (text, message) => {
    expect(() => from({ name: 'a.json', text })).toThrow(message)
  })
})

describe('a rule', () => {
  const bypass = (expression: string) =>
    bypassFrom({ action: 'bypass_waiting_room', expression, description: '', enabled: true })

  it.each<[string, unknown]>([
    ['http.request.uri.path eq "/a"', [{ path: '/a' }]],
    ['(http.request.uri.path in {"/a" "/b"})', [{ path: '/a' }, { path: '/b' }]],
    ['ends_with(http.request.uri.path, ".css")', [{ path: '/*.css' }]],
    ['http.request.uri.path contains "/wp-"', [{ path: '/wp-*' }, { path: '/*/wp-*' }]],
    ['http.request.uri.path wildcard "/api/*"', [{ path: '/api/*' }]],
    ['ip.src eq 192.0.2.7', [{ cidr: ['192.0.2.7/32'] }]],
    ['ip.src.country in {"DE" "AT"}', [{ country: ['DE', 'AT'] }]],
    ['http.user_agent contains "Uptime"', [{ user_agent: { contains: 'Uptime' } }]],
    ['any(http.request.headers["x-monitor"][*] eq "abc")', [{ header: { name: 'x-monitor', value: 'abc' } }]],
    [
      '(http.request.method eq "POST" and http.request.uri.path eq "/hook") or ip.src in {10.0.0.0/8}',
      [{ methods: ['POST'], path: '/hook' }, { cidr: ['10.0.0.0/8'] }],
    ],
    [
      'http.request.uri.path eq "/a" && (ip.src == 1.1.1.1 || ip.src == 2.2.2.2)',
      [
        { path: '/a', cidr: ['1.1.1.1/32'] },
        { path: '/a', cidr: ['2.2.2.2/32'] },
      ],
    ],
  ])('of %s is carried over', (expression, rules) => {
    expect(bypass(expression)).toEqual(rules)
  })

  it.each([
    ['not http.request.uri.path eq "/a"', 'not'],
    ['http.request.uri.path ne "/a"', 'http.request.uri.path ne'],
    ['http.request.uri.path matches "^/a"', 'http.request.uri.path matches'],
    ['http.cookie contains "x"', 'http.cookie contains'],
    ['cf.client.bot', 'cf.client.bot'],
    ['http.request.uri.path eq "/a" and http.request.uri.path eq "/b"', 'http.request.uri.path twice'],
    ['http.request.uri.path eq "/a:b"', 'the path /a:b'],
    ['http.request.uri.path eq', 'its end'],
    ['(ip.src eq 1.1.1.1', 'its end'],
    ['ip.src eq 1.1.1.1 ; drop', ';'],
  ])('of %s is not, and the part is named', (expression, part) => {
    expect(bypass(expression)).toContain(`its expression has a part without counterpart: ${part}`)
  })
})
