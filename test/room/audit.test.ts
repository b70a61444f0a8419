import { runInDurableObject } from 'cloudflare:test'
import { describe, expect, it } from 'vitest'
import type { AuditEntry, AuditQuery, Deed } from '../../src/core/protocol/audit.ts'
import { AuditLog } from '../../src/room/audit.ts'
import { roomStub } from '../../src/settings/env.ts'
import { claimsOf, env, newEdge, send, Visitor } from '../support/workerd/visitor.ts'

const NETWORK = '81.2.69/24'
const DAY_MS = 86_400_000
const ALL: AuditQuery = { actor: null, action: null, fromMs: 0, toMs: 1e15, beforeId: null, limit: 100 }
const stub = () => roomStub(env, 'undone') as unknown as DurableObjectStub

async function ask(path: string, init: RequestInit = {}) {
  const headers = { Authorization: `Bearer ${env.ADMIN_TOKEN}`, 'CF-Connecting-IP': '81.2.69.7', ...init.headers }
  const request = new Request(`https://admin.test/.waiting-room/api/v1/rooms/undone${path}`, { ...init, headers })
  const { status, text, response } = await send(newEdge(), request)
  return { status, text, response, body: text.startsWith('{') ? JSON.parse(text) : null }
}
const entries = async (query = ''): Promise<AuditEntry[]> => (await ask(`/audit${query}`)).body.entries
const patch = (body: unknown, headers: Record<string, string> = {}) =>
  ask('', { method: 'PATCH', body: JSON.stringify(body), headers })

const deed = (more: Partial<Deed> = {}): Deed => ({
  actor: 'ana',
  by: 'token',
  network: null,
  action: 'session-ended',
  subject: 'x',
  before: null,
  after: null,
  ...more,
})

/** Runs in the room's object with an audit log over its storage. */
const inRoom = <Result>(run: (log: AuditLog) => Result) =>
  runInDurableObject(stub(), (_room, { storage }) => run(new AuditLog(storage.sql)))

describe('the audit log', () => {
  it('has who changed what, from where, with the values before and after', async () => {
    await patch({ message: 'First' }, { 'Waiting-Room-Actor': 'somebody%20else' })
    await patch({ message: 'Second', queue_all: true })
    await ask('/overrides/queue_all', { method: 'DELETE' })
    const [reset, second, first] = await entries()
    expect(second).toMatchObject({
      actor: 'ADMIN_TOKEN',
      by: 'token',
      network: NETWORK,
      action: 'settings-set',
      before: { message: 'First', queue_all: false },
      after: { message: 'Second', queue_all: true },
    })
    expect(reset).toMatchObject({ action: 'settings-reset', before: { queue_all: true }, after: { queue_all: false } })
    expect(first?.actor).toBe('ADMIN_TOKEN')
    await ask('/overrides', { method: 'DELETE' })
  })

  it('has the sessions that were ended, and a lifted ceiling', async () => {
    const visitor = new Visitor('undone.test', newEdge())
    await visitor.page()
    const sid = String(claimsOf(visitor.token).sub)
    expect((await ask(`/sessions/${sid}`, { method: 'DELETE' })).status).toBe(204)
    await ask('/health/ceiling', { method: 'DELETE' })
    const [lifted, ended] = await entries()
    expect(lifted).toMatchObject({ action: 'ceiling-lifted', subject: null, network: NETWORK })
    expect(ended).toMatchObject({ action: 'session-ended', subject: sid })
  })

  it('hides values that let requests by, and cuts long ones', async () => {
    const bypass = [
      { header: { name: 'X-Monitor', value: 'a-secret-of-the-monitor' } },
      { path: '/paid', query: { name: 'order', prefix: 'a-secret-of-the-shop' } },
    ]
    await patch({ bypass, custom_page_html: `<p>${'x'.repeat(5_000)}</p>` })
    const { text } = await ask('/audit?limit=1')
    expect(text).not.toContain('a-secret-of')
    expect(text.length).toBeLessThan(3_000)
    expect(JSON.parse(text).entries[0].after.bypass).toEqual([
      { header: { name: 'X-Monitor', value: '(hidden)' } },
      { path: '/paid', query: { name: 'order', prefix: '(hidden)' } },
    ])
    await ask('/overrides', { method: 'DELETE' })
  })

  it('has the first request from a network in twelve hours as a login, and no later one', async () => {
    const network = { 'CF-Connecting-IP': '92.40.1.1' }
    for (let i = 0; i < 3; i++) await ask('', { headers: network })
    await expect.poll(async () => (await entries('?action=logged-in'))[0]?.network).toBe('92.40.1/24')
    const logins = await entries('?action=logged-in')
    expect(logins.map(entry => [entry.actor, entry.network])).toEqual([
      ['ADMIN_TOKEN', '92.40.1/24'],
      ['ADMIN_TOKEN', NETWORK],
    ])
    const later = await inRoom(log => {
      const [login] = log.entries({ ...ALL, action: 'logged-in', limit: 1 })
      if (!login) throw new Error('there is no login')
      log.note(login, login.atMs + 11 * 3_600_000)
      log.note(login, login.atMs + 13 * 3_600_000)
      return log.entries({ ...ALL, action: 'logged-in' }).length
    })
    expect(later).toBe(3)
  })

  it('is filtered, and read page by page', async () => {
    await inRoom(log => {
      for (let i = 0; i < 5; i++) log.add(deed({ actor: i % 2 ? 'bo' : 'cy', subject: `s${i}` }), Date.now())
    })
    expect((await entries('?actor=bo')).map(({ subject }) => subject)).toEqual(['s3', 's1'])
    const [newest] = await entries('?action=session-ended&limit=1')
    const [next] = await entries(`?action=session-ended&limit=1&before=${newest?.id}`)
    expect([newest?.subject, next?.subject]).toEqual(['s4', 's3'])
    expect(await entries('?from=2030-01-01T00:00:00Z&to=2031-01-01T00:00:00Z')).toEqual([])
  })

  it('answers with fewer entries than asked for when they are long, and reads on behind them', async () => {
    const [first, next] = await inRoom(log => {
      const text = 'x'.repeat(990)
      const after = Object.fromEntries(Array.from({ length: 500 }, (_, i) => [`setting${i}`, text]))
      for (let i = 0; i < 12; i++) log.add(deed({ actor: 'long', after }), Date.now())
      const first = log.entries({ ...ALL, actor: 'long' })
      return [first, log.entries({ ...ALL, actor: 'long', beforeId: first.at(-1)?.id ?? null })]
    })
    expect([first?.length, next?.length]).toEqual([8, 4])
  })

  it.each([
    ['?limit=0', 'limit', 'must be a whole number, 1 to 10,000, got 0'],
    ['?to=2026-13-40T09:00Z', 'to', 'must be a time such as 2026-11-27T09:00:00Z, got 2026-13-40T09:00Z'],
    ['?from=yesterday', 'from', 'must be a time such as 2026-11-27T09:00:00Z, got yesterday'],
    ['?format=xml', 'format', 'must be json or csv, got xml'],
  ])('refuses %s', async (query, path, message) => {
    const { status, body } = await ask(`/audit${query}`)
    expect([status, body.problems]).toEqual([422, [{ path, message }]])
  })

  it('is exported as CSV in which no cell is a formula', async () => {
    await inRoom(log => log.add(deed({ actor: '=1+1', subject: 'a "b"', after: { message: 'x,y' } }), Date.now()))
    const { text, response } = await ask('/audit?format=csv&limit=1')
    expect(response.headers.get('Content-Type')).toBe('text/csv; charset=utf-8')
    const [names, line, end] = text.split('\r\n')
    expect(names).toBe('time,actor,by,network,action,subject,before,after,times,last_time')
    expect(line).toMatch(
      /^"[^"]+","'=1\+1","token","","session-ended","a ""b""","","\{""message"":""x,y""\}","1","[^"]+"$/,
    )
    expect(end).toBe('')
  })

  it('keeps 10,000 entries, and none for longer than 400 days', async () => {
    const kept = await inRoom(log => {
      log.add(deed({ subject: 'old' }), Date.now() - 401 * DAY_MS)
      log.add(deed({ subject: 'young' }), Date.now())
      const [last] = log.entries(ALL)
      return { hasOld: log.entries({ ...ALL, limit: 10_000 }).some(({ subject }) => subject === 'old'), last }
    })
    expect([kept.hasOld, kept.last?.subject]).toEqual([false, 'young'])
    const count = await runInDurableObject(stub(), (_room, { storage: { sql } }) => {
      sql.exec(
        `WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 10050)
         INSERT INTO audit (at_ms, actor, proof, action) SELECT ?, 'bulk', 'token', 'session-ended' FROM n`,
        Date.now(),
      )
      new AuditLog(sql).add(deed(), Date.now())
      const query = "SELECT COUNT(*) AS n FROM audit WHERE action <> 'logged-in'"
      return sql.exec<{ n: number }>(query).one().n
    })
    expect(count).toBe(10_000)
  })

  it('has the changes of the same settings within a minute as one entry', async () => {
    const set = (before: string, after: string, more: Partial<Deed> = {}) =>
      deed({ action: 'settings-set', subject: null, before: { message: before }, after: { message: after }, ...more })
    const found = await inRoom(log => {
      const nowMs = Date.now()
      log.add(set('', 'a', { actor: 'cleo' }), nowMs)
      log.add(set('a', 'b', { actor: 'cleo' }), nowMs + 1_000)
      log.add(set('b', 'c', { actor: 'dan' }), nowMs + 2_000)
      // Dan has changed the message meanwhile, so this change does not continue that of Cleo.
      log.add(set('c', 'd', { actor: 'cleo' }), nowMs + 3_000)
      log.add(set('d', 'e', { actor: 'cleo' }), nowMs + 63_001)
      const entries = log.entries({ ...ALL, toMs: 1e15, limit: 4 })
      return entries.map(({ actor, before, after, times, atMs, lastAtMs }) => [
        ...[actor, before?.message, after?.message, times, atMs - nowMs, lastAtMs - nowMs],
      ])
    })
    expect(found).toEqual([
      ['cleo', 'd', 'e', 1, 63_001, 63_001],
      ['cleo', 'c', 'd', 1, 3_000, 3_000],
      ['dan', 'b', 'c', 1, 2_000, 2_000],
      ['cleo', '', 'b', 2, 0, 1_000],
    ])
  })

  it('keeps all entries of others in a flood of changes by one person', async () => {
    const kept = await runInDurableObject(stub(), (_room, { storage: { sql } }) => {
      sql.exec('DELETE FROM audit')
      const log = new AuditLog(sql)
      log.add(deed({ actor: 'ana', subject: 'ended by Ana' }), Date.now())
      log.add(deed({ actor: 'flood', subject: 'ended by Flood' }), Date.now())
      sql.exec(
        `WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 12000)
         INSERT INTO audit (at_ms, actor, proof, action) SELECT ?, 'flood', 'token', 'settings-set' FROM n`,
        Date.now(),
      )
      log.add(deed({ actor: 'flood', action: 'ceiling-lifted', subject: null }), Date.now())
      const subjects = log.entries({ ...ALL, action: 'session-ended' }).map(({ subject }) => subject)
      const { n } = sql.exec<{ n: number }>('SELECT COUNT(*) AS n FROM audit').one()
      return { subjects, n }
    })
    expect(kept).toEqual({ subjects: ['ended by Flood', 'ended by Ana'], n: 10_000 })
  })

  it('keeps all other entries in a flood of logins, and 2,000 of the logins', async () => {
    const kept = await runInDurableObject(stub(), (_room, { storage: { sql } }) => {
      sql.exec('DELETE FROM audit')
      const log = new AuditLog(sql)
      log.add(deed({ subject: 'done' }), Date.now())
      sql.exec(
        `WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 12000)
         INSERT INTO audit (at_ms, actor, proof, action) SELECT ?, 'bulk', 'token', 'logged-in' FROM n`,
        Date.now(),
      )
      log.add(deed({ action: 'logged-in', subject: null }), Date.now())
      log.add(deed({ subject: 'later' }), Date.now())
      const done = log.entries({ ...ALL, action: 'session-ended' }).map(({ subject }) => subject)
      return { done, logins: log.entries({ ...ALL, action: 'logged-in', limit: 10_000 }).length }
    })
    expect(kept).toEqual({ done: ['later', 'done'], logins: 2_000 })
  })

  it('names tokens and invitation keys that were added or removed by a deployment', async () => {
    const noted = await inRoom(log => {
      const newest = () =>
        log.entries({ ...ALL, limit: 2 }).map(({ actor, action, subject }) => [actor, action, subject])
      log.noteSecrets({ tokens: ['ana, viewer'], invitationKeys: ['i-1'] }, Date.now())
      const added = newest()
      log.noteSecrets({ tokens: ['ana, viewer'], invitationKeys: ['i-1'] }, Date.now())
      log.noteSecrets({ tokens: null, invitationKeys: [] }, Date.now())
      return { added, removed: newest()[0] }
    })
    expect(noted.added).toEqual([
      ['deployment', 'invitation-key-added', 'i-1'],
      ['deployment', 'token-added', 'ana, viewer'],
    ])
    expect(noted.removed).toEqual(['deployment', 'invitation-key-removed', 'i-1'])
  })
})
