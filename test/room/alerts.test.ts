import { runDurableObjectAlarm, runInDurableObject } from 'cloudflare:test'
import { beforeEach, describe, expect, it } from 'vitest'
import type { Notice } from '../../src/core/alerts/notices.ts'
import { addressFor, messageFor, webhookSignature } from '../../src/room/alerts/formats.ts'
import { Outbox, type Send } from '../../src/room/alerts/outbox.ts'
import type { Receiver, ReceiverFormat } from '../../src/settings/admin/receivers.ts'
import { roomStub } from '../../src/settings/env.ts'
import { env, newEdge, send } from '../support/workerd/visitor.ts'

const SECRET = 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw'
const notice: Notice = {
  room: 'shop',
  alert: 'long line',
  when: 'line_longer_than',
  state: 'firing',
  episode: 'shop/long line/1',
  text: '6,200 people wait in line, more than 5,000',
  value: 6_200,
  threshold: 5_000,
  atMs: Date.parse('2026-11-27T09:00:00Z'),
}
const receiver = (format: ReceiverFormat, name: string = format): Receiver => ({
  name,
  format,
  url: `https://${name}.example/hook`,
  secret: SECRET,
  key: 'the-key',
})
const bodyOf = async (format: ReceiverFormat, more: Partial<Notice> = {}) => {
  const { body, headers } = await messageFor(receiver(format), { ...notice, ...more }, 'msg_1', 0)
  return { headers, body: format === 'ntfy' ? body : JSON.parse(body) }
}

describe('a notice', () => {
  it('has the signature that Standard Webhooks gives for its example', async () => {
    const headers = await webhookSignature(
      SECRET,
      'msg_p5jXN8AQM9LWM0D4loKWxJek',
      '{"test": 2432232314}',
      1_614_265_330_999,
    )
    expect(headers).toEqual({
      'webhook-id': 'msg_p5jXN8AQM9LWM0D4loKWxJek',
      'webhook-timestamp': '1614265330',
      'webhook-signature': 'v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=',
    })
  })

  it('has type, time and data in the form of Standard Webhooks', async () => {
    const { atMs: _, ...data } = notice
    const { body, headers } = await bodyOf('standard')
    expect(body).toEqual({ type: 'alert.firing', timestamp: '2026-11-27T09:00:00.000Z', data })
    expect(headers['webhook-id']).toBe('msg_1')
  })

  it('has the form of each chat', async () => {
    const line = '[firing] shop: 6,200 people wait in line, more than 5,000'
    expect((await bodyOf('slack')).body).toEqual({ text: line })
    expect((await bodyOf('discord')).body).toEqual({ content: line, allowed_mentions: { parse: [] } })
    expect((await bodyOf('teams')).body.attachments[0].content.body[0].text).toBe(line)
    expect(await bodyOf('ntfy')).toEqual({
      body: 'shop: 6,200 people wait in line, more than 5,000',
      headers: {
        'Content-Type': 'text/plain; charset=utf-8',
        Title: 'antesala: firing',
        Priority: '4',
        Authorization: 'Bearer the-key',
      },
    })
  })

  it('opens and closes one incident of a pager by the episode', async () => {
    const [open, closed] = [await bodyOf('pagerduty'), await bodyOf('pagerduty', { state: 'resolved' })]
    expect(open.body).toMatchObject({ routing_key: 'the-key', event_action: 'trigger', dedup_key: notice.episode })
    expect(closed.body).toMatchObject({ event_action: 'resolve', dedup_key: notice.episode })
    const { body, headers } = await bodyOf('opsgenie')
    expect([body.alias, headers.Authorization]).toEqual([notice.episode, 'GenieKey the-key'])
    expect(addressFor(receiver('opsgenie'), notice)).toBe('https://opsgenie.example/hook')
    expect(addressFor(receiver('opsgenie'), { ...notice, state: 'resolved' })).toBe(
      'https://opsgenie.example/hook/shop%2Flong%20line%2F1/close?identifierType=alias',
    )
  })
})

const stub = () => roomStub(env, 'undone') as unknown as DurableObjectStub
const FAR_MS = 86_400_000

/** Runs with an outbox over the storage of a room, whose receivers answer as `answer` does. */
function withOutbox<Result>(
  answer: (url: string, init: RequestInit) => Response | Promise<Response>,
  run: (outbox: Outbox, sent: { url: string; init: RequestInit }[], again: () => Outbox) => Promise<Result>,
): Promise<Result> {
  return runInDurableObject(stub(), async (_room, { storage }) => {
    storage.sql.exec('DELETE FROM deliveries')
    const sent: { url: string; init: RequestInit }[] = []
    const post: Send = async (url, init) => {
      sent.push({ url, init })
      return answer(url, init)
    }
    return run(new Outbox(storage.sql, post), sent, () => new Outbox(storage.sql, post))
  })
}
const idOf = ({ init }: { init: RequestInit }) => new Headers(init.headers).get('webhook-id')

describe('a delivery', () => {
  it('is made once when the receiver accepts it', async () => {
    const [sent, deliveries] = await withOutbox(
      () => new Response(null, { status: 204 }),
      async (outbox, sent) => {
        outbox.add('standard', notice, Date.now())
        await outbox.run([receiver('standard')], Date.now())
        await outbox.run([receiver('standard')], Date.now() + FAR_MS)
        return [sent, outbox.deliveries()] as const
      },
    )
    expect(sent).toHaveLength(1)
    expect(sent[0]?.init).toMatchObject({ method: 'POST', redirect: 'manual' })
    expect(deliveries).toMatchObject([{ state: 'delivered', outcome: '204', attempts: 1, nextAttemptMs: null }])
  })

  it.each<[string, () => Response]>([
    ['an error', () => new Response('', { status: 500 })],
    ['a redirect', () => new Response(null, { status: 302, headers: { Location: 'http://10.0.0.1/' } })],
    [
      'no answer',
      () => {
        throw new Error('connect https://secret.example')
      },
    ],
  ])('is tried again later with the same id after %s, also by the next object', async (_what, answer) => {
    const [sent, deliveries, waitMs] = await withOutbox(answer, async (outbox, sent, again) => {
      outbox.add('standard', notice, Date.now())
      await outbox.run([receiver('standard')], Date.now())
      await outbox.run([receiver('standard')], Date.now())
      const nextMs = outbox.nextMs(Date.now()) ?? 0
      await again().run([receiver('standard')], nextMs)
      return [sent, outbox.deliveries(), nextMs - Date.now()] as const
    })
    expect(sent).toHaveLength(2)
    expect(idOf(sent[0] as never)).toBe(idOf(sent[1] as never))
    expect(waitMs).toBeGreaterThan(3_000)
    expect(deliveries[0]).toMatchObject({ state: 'waiting', attempts: 2 })
    expect(JSON.stringify(deliveries)).not.toContain('secret.example')
  })

  it('is not delayed by another receiver that is dead, and the notices to that one wait together', async () => {
    let end = () => {}
    const silence = new Promise<void>(resolve => {
      end = resolve
    })
    const urls = await withOutbox(
      async url => {
        if (url.includes('dead')) await silence
        return new Response('', { status: url.includes('dead') ? 500 : 200 })
      },
      async (outbox, sent) => {
        for (let i = 0; i < 3; i++) outbox.add('dead', notice, Date.now())
        for (let i = 0; i < 3; i++) outbox.add('alive', notice, Date.now())
        const receivers = [receiver('standard', 'dead'), receiver('standard', 'alive')]
        const run = outbox.run(receivers, Date.now())
        await expect.poll(() => outbox.deliveries().filter(({ state }) => state === 'delivered').length).toBe(3)
        // The other notices of the dead receiver are due. They must not ring the alarm again and again meanwhile.
        expect(outbox.nextMs(Date.now())).toBeGreaterThan(Date.now() + 3_000)
        // While the first run waits for the dead receiver, a second run does not call that receiver again.
        await outbox.run(receivers, Date.now() + FAR_MS)
        end()
        await run
        return sent.map(({ url }) => url)
      },
    )
    expect(urls.filter(url => url.includes('dead'))).toHaveLength(1)
    expect(urls.filter(url => url.includes('alive'))).toHaveLength(3)
  })

  it('is given up at once for an unknown receiver, and after a day for a dead one', async () => {
    const deliveries = await withOutbox(
      () => new Response('', { status: 503 }),
      async outbox => {
        outbox.add('nobody', notice, Date.now())
        outbox.add('standard', notice, Date.now() - FAR_MS)
        await outbox.run([receiver('standard')], Date.now())
        return outbox.deliveries()
      },
    )
    expect(deliveries.map(({ state, outcome }) => [state, outcome])).toEqual([
      ['given-up', '503'],
      ['given-up', 'there is no such receiver'],
    ])
  })

  it('drops the oldest of more than 200 that wait', async () => {
    const count = await withOutbox(
      () => new Response('', { status: 503 }),
      async outbox => {
        for (let i = 0; i < 210; i++) outbox.add('standard', { ...notice, text: `n${i}` }, Date.now())
        return runInDurableObject(stub(), (_room, { storage }) =>
          storage.sql
            .exec<{ n: number; first: string }>('SELECT COUNT(*) AS n, MIN(rowid) AS first FROM deliveries')
            .one(),
        )
      },
    )
    expect(count.n).toBe(200)
  })
})

describe('the alerts of a room', () => {
  const ask = async (path: string, init: RequestInit = {}) => {
    const headers = { Authorization: `Bearer ${env.ADMIN_TOKEN}` }
    const request = new Request(`https://admin.test/.waiting-room/api/v1/rooms/undone${path}`, { ...init, headers })
    const { status, text } = await send(newEdge(), request)
    return { status, body: text.startsWith('{') ? JSON.parse(text) : null }
  }
  const patch = (body: object) => ask('', { method: 'PATCH', body: JSON.stringify(body) })
  const states = async () =>
    (await roomStub(env, 'undone').alertReport()).deliveries.map(({ text, state }) => [text, state])

  beforeEach(() => runInDurableObject(stub(), (_room, { storage }) => void storage.sql.exec('DELETE FROM deliveries')))

  it('reach their receiver by the alarm, without any visitor', async () => {
    await patch({ alerts: [{ when: 'settings_changed', to: ['chat'] }] })
    await patch({ message: 'News' })
    await runDurableObjectAlarm(stub())
    await expect.poll(states).toEqual([
      ['ADMIN_TOKEN has changed message', 'delivered'],
      ['ADMIN_TOKEN has changed alerts', 'delivered'],
    ])
    await ask('/overrides', { method: 'DELETE' })
  })

  it('fire when the budget of the room falls below their limit', async () => {
    await patch({ remaining: 3, alerts: [{ when: 'budget_below', threshold: 5, for: 0, pause: 0, to: ['chat'] }] })
    await runDurableObjectAlarm(stub())
    await expect.poll(async () => (await states())[0]?.[0]).toBe('3 admissions are left, fewer than 5')
    expect((await ask('/alerts')).body.rules).toMatchObject([{ name: 'budget_below', firedAtMs: expect.any(Number) }])
    await ask('/overrides', { method: 'DELETE' })
  })

  it('report the start of an event by themselves, while no visitor is there', async () => {
    const at = (ms: number) => new Date(Date.now() + ms).toISOString()
    const sale = { name: 'sale', event_start_time: at(1_000), event_end_time: at(120_000) }
    await patch({ events: [sale], alerts: [{ when: 'event_started', to: ['chat'] }] })
    await expect.poll(states, { timeout: 10_000 }).toEqual([['the event sale has started', 'delivered']])
    await ask('/overrides', { method: 'DELETE' })
  })

  it('report no event that was over before the room was new', async () => {
    await roomStub(env, 'over').describe()
    expect((await roomStub(env, 'over').alertReport()).deliveries).toEqual([])
  })

  it('are tested by an admin, and the test is in the audit log', async () => {
    expect((await ask('/alerts/test', { method: 'POST', body: '{"receiver":"chat"}' })).status).toBe(202)
    expect((await ask('/alerts/test', { method: 'POST', body: '{"receiver":"nobody"}' })).status).toBe(422)
    await runDurableObjectAlarm(stub())
    await expect.poll(states).toEqual([['this is a test of alerts, and nothing is wrong', 'delivered']])
    expect((await ask('/audit?limit=1')).body.entries[0]).toMatchObject({ action: 'alert-tested', subject: 'chat' })
    expect((await ask('/alerts')).body.receivers).toEqual([{ name: 'chat', format: 'slack', host: 'chat.example' }])
  })
})
