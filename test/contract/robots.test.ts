import { expect, it } from 'vitest'
import { runCrowd } from '../../tools/crowd/crowd.ts'
import { startShop } from '../../tools/demo/shop.ts'
import { startSite } from '../support/node/served.ts'

it('a challenge lets in people, who solve it, and keeps out robots', async ({ onTestFinished }) => {
  const shop = await startShop({ capacity: 1_000 })
  onTestFinished(() => shop.stop())
  const room = { name: 'shop', host: '*', total_active_users: 1_000, new_users_per_minute: 600, session_duration: 5 }
  const rooms = [{ ...room, health: { mode: 'off' }, challenge: { when: 'always' } }]
  const site = await startSite({ origin: shop.url, rooms })
  onTestFinished(() => site.stop())
  const crowd = { url: `${site.url}/`, visitors: 15, robots: 45, arriveMs: 2_000, stayMs: 500, thinkMs: 200 }
  const { admitted, robots } = await runCrowd({ ...crowd, durationMs: 30_000 })
  expect({ admitted, robots }).toEqual({ admitted: 15, robots: { arrived: 45, admitted: 0 } })
}, 90_000)
