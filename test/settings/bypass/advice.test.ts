import { describe, expect, it } from 'vitest'
import { adviceOnBypass } from '../../../src/settings/bypass/advice.ts'
import { parseRooms } from '../../../src/settings/rooms.ts'
import type { RoomConfig } from '../../../src/settings/schema.ts'

/** A rule that needs no advice. */
const HOOK = { path: '/hooks/*', methods: ['POST'] }

function adviceOn(settings: object): readonly string[] {
  const file = { name: 'shop', host: 'shop.example', total_active_users: 1, new_users_per_minute: 1 }
  const [room] = parseRooms([{ ...file, bypass: [HOOK], ...settings }])
  return adviceOnBypass(room as RoomConfig)
}

describe('advice on bypass rules', () => {
  it('is not given on a rule for a webhook', () => {
    expect(adviceOn({})).toEqual([])
  })

  it('names webhooks where there is no rule', () => {
    expect(adviceOn({ bypass: [] })).toEqual([expect.stringContaining('no bypass rule. Webhooks')])
  })

  it('mentions payment webhooks where there are protected paths', () => {
    const protected_paths = ['/checkout/*']
    const text = expect.stringMatching(/^protected_paths, and no bypass rule for the notifications of a payment/)
    for (const bypass of [
      [],
      [{ verified_crawler: true }],
      [{ path: '/feed', methods: ['GET'] }],
      [{ preset: 'wordpress' }],
    ])
      expect(adviceOn({ protected_paths, bypass })).toContainEqual(text)
    for (const bypass of [[HOOK], [{ path: '/pay/notify' }], [{ preset: 'magento' }], [{ cidr: ['192.0.2.0/24'] }]])
      expect(adviceOn({ protected_paths, bypass })).not.toContainEqual(text)
  })

  it.each([
    [
      { cookie: { name: 'wordpress_logged_in_1f' } },
      'cookie can be forged: each visitor who sends wordpress_logged_in_1f',
    ],
    [{ path: '/wp-admin/*', cookie: { name: 'staff', value: 'yes' } }, 'cookie can be forged'],
    [{ header: { name: 'X-Monitor' } }, 'header can be forged: each visitor who sends X-Monitor'],
    [{ header: { name: 'X-Monitor', value: 'open' } }, 'header can be forged'],
    [{ user_agent: { contains: 'Googlebot' } }, 'user_agent can be forged'],
    [{ country: ['IS'], methods: ['GET'] }, 'has no path and nothing that a visitor would have to prove'],
  ])('names what can be forged in %j', (rule, text) => {
    expect(adviceOn({ bypass: [rule] })).toEqual([expect.stringMatching(new RegExp(`^bypass\\[0\\][. ]${text}`))])
  })

  it.each([
    { cookie: { name: 'staff', value: 'a-secret-of-the-team' } },
    { cookie: { name: 'staff' }, cidr: ['192.0.2.0/24'] },
    { header: { name: 'X-Monitor', value: 'a-secret-of-the-team' } },
    { path: '/hooks', header: { name: 'X-GitHub-Event' } },
    { path: '/up', user_agent: { contains: 'UptimeRobot' } },
    { preset: 'pretix' },
  ])('is not given on %j', rule => {
    expect(adviceOn({ bypass: [rule] })).toEqual([])
  })

  it('explains that verified_crawler means search engines', () => {
    const [advice] = adviceOn({ bypass: [HOOK, { verified_crawler: true }] })
    expect(advice).toMatch(/^bypass\[1\]\.verified_crawler lets in search engines only\..* verified_bot/)
  })

  it('names a category that may be mistyped', () => {
    const bypass = [{ verified_bot: ['Page Preview', 'Monitoring or Analytics', 'Search Engine'] }]
    expect(adviceOn({ bypass })).toEqual([expect.stringMatching(/^bypass\[0\]\.verified_bot: "Search Engine" is no/)])
  })

  it.each([200, 202])('warns about search engines where the waiting page has the status %i', queueing_status_code => {
    const text = expect.stringMatching(/^queueing_status_code = 20[02], and no rule for search engines/)
    expect(adviceOn({ queueing_status_code })).toEqual([text])
    for (const rule of [{ verified_crawler: true }, { verified_bot: ['Search Engine Crawler'] }])
      expect(adviceOn({ queueing_status_code, bypass: [HOOK, rule] })).not.toContainEqual(text)
  })

  it('is not given where the waiting page has another status', () => {
    for (const queueing_status_code of [503, 429]) expect(adviceOn({ queueing_status_code })).toEqual([])
  })
})
