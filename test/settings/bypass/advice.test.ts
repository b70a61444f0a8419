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

  it('explains that verified_crawler means search engines', () => {
    const [advice] = adviceOn({ bypass: [HOOK, { verified_crawler: true }] })
    expect(advice).toMatch(/^bypass\[1\]\.verified_crawler lets in search engines only\..* verified_bot/)
  })

  it('names a category that may be mistyped', () => {
    const bypass = [{ verified_bot: ['Page Preview', 'Monitoring or Analytics', 'Search Engine'] }]
    expect(adviceOn({ bypass })).toEqual([expect.stringMatching(/^bypass\[0\]\.verified_bot: "Search Engine" is no/)])
  })

  it.each([200, 202])('names search engines where waiting has the status %i', queueing_status_code => {
    const text = expect.stringMatching(/^queueing_status_code = 20[02] and no rule for search engines/)
    expect(adviceOn({ queueing_status_code })).toEqual([text])
    for (const rule of [{ verified_crawler: true }, { verified_bot: ['Search Engine Crawler'] }])
      expect(adviceOn({ queueing_status_code, bypass: [HOOK, rule] })).not.toContainEqual(text)
  })

  it('is not given on other statuses of waiting', () => {
    for (const queueing_status_code of [503, 429]) expect(adviceOn({ queueing_status_code })).toEqual([])
  })
})
