import { evictDurableObject, runInDurableObject } from 'cloudflare:test'
import { afterEach, describe, expect, it } from 'vitest'
import { doorOf } from '../../src/core/ticket.ts'
import { DOOR_MIGRATIONS } from '../../src/door/store.ts'
import { ROOM_MIGRATIONS } from '../../src/room/store.ts'
import { major, migrate } from '../../src/runtime/migrations.ts'
import { doorStub, roomStub } from '../../src/settings/env.ts'
import { claimsOf, env, newEdge, settled, Visitor } from '../support/workerd/visitor.ts'

/** The schemas of a later version, which add columns, a table and an index. */
const NEWER_DOOR = [
  ...DOOR_MIGRATIONS,
  `ALTER TABLE sessions ADD COLUMN device TEXT;
   ALTER TABLE debts ADD COLUMN note TEXT NOT NULL DEFAULT '';`,
  'CREATE INDEX sessions_by_lane ON sessions (lane);',
]
const NEWER_ROOM = [
  ...ROOM_MIGRATIONS,
  `ALTER TABLE doors ADD COLUMN region TEXT NOT NULL DEFAULT '';
   ALTER TABLE changes ADD COLUMN reason TEXT;
   CREATE TABLE badges (sid TEXT PRIMARY KEY, text TEXT NOT NULL) WITHOUT ROWID;`,
]

const room = () => roomStub(env, 'back') as unknown as DurableObjectStub
const door = (name: string) => doorStub(env, 'back', name) as unknown as DurableObjectStub
const figures = async () => {
  const { active, totals } = (await roomStub(env, 'back').describe()).figures
  return { active, confirmed: totals.confirmed }
}

afterEach(settled)

describe('a rolled-back deployment', () => {
  it('loses no session and no place, and continues to admit', async () => {
    const edge = newEdge()
    const inside = Array.from({ length: 3 }, () => new Visitor('back.test', edge))
    for (const visitor of inside) {
      expect((await visitor.page()).status).toBe(200)
      await visitor.page()
    }
    const line = Array.from({ length: 6 }, () => new Visitor('back.test', edge))
    for (const visitor of line) {
      expect((await visitor.page()).status).toBe(503)
      expect(['waiting', 'called']).toContain((await visitor.poll()).place.state)
    }
    const sids = inside.map(({ token }) => claimsOf(token).sub)
    const keys = line.map(({ token }) => claimsOf(token).key)
    const doors = new Set(sids.map(sid => doorOf(String(sid))))
    await expect.poll(figures, { timeout: 10_000 }).toEqual({ active: 3, confirmed: 6 })

    // The newer version runs for a while. It widens the tables, and writes data that older code does not know.
    await runInDurableObject(room(), (_room, { storage }) => {
      migrate(storage.sql, NEWER_ROOM)
      storage.sql.exec("UPDATE facts SET value = json_set(value, '$.weather', 'fine') WHERE name = 'room'")
      storage.sql.exec("INSERT INTO facts (name, value) VALUES ('badges', '{}')")
    })
    for (const name of doors) {
      await runInDurableObject(door(name), (_door, { storage }) => {
        migrate(storage.sql, NEWER_DOOR)
        storage.sql.exec("UPDATE sessions SET device = 'phone'")
      })
    }
    await evictDurableObject(room())
    for (const name of doors) await evictDurableObject(door(name))

    // The version of this checkout takes over, with edges that remember nothing.
    const older = newEdge()
    const again = (visitor: Visitor) => {
      const other = new Visitor('back.test', older)
      for (const [name, value] of visitor.jar) other.jar.set(name, value)
      return other
    }
    for (const [index, visitor] of inside.map(again).entries()) {
      const { atOrigin } = await visitor.page()
      expect(atOrigin?.headers['waiting-room-session']).toBe(sids[index])
    }
    const waiting = line.map(again)
    for (const visitor of waiting) expect(['waiting', 'called']).toContain((await visitor.poll()).place.state)
    expect(waiting.map(({ token }) => claimsOf(token).key)).toEqual(keys)
    expect(await figures()).toEqual({ active: 3, confirmed: 6 })

    // Sessions and changes can be written, not only read.
    await roomStub(env, 'back').change({ set: { total_active_users: 9 } }, null, 'test')
    await expect
      .poll(async () => (await Promise.all(waiting.map(visitor => visitor.page()))).map(({ status }) => status), {
        timeout: 20_000,
        interval: 500,
      })
      .toEqual(keys.map(() => 200))
  })

  it('is refused by a room on a database with a later major migration, and the edge receives the reason', async () => {
    const stub = roomStub(env, 'ahead') as unknown as DurableObjectStub
    await roomStub(env, 'ahead').describe()
    const version = ROOM_MIGRATIONS.length
    await runInDurableObject(stub, (_room, { storage }) => {
      migrate(storage.sql, [...ROOM_MIGRATIONS, major('DROP TABLE health_minutes;')])
    })
    await evictDurableObject(stub)
    const made = 'a newer version of the program has made this database'
    const refused = `storage refused: ${made} (migration ${version} is major)`
    const report = { isolate: 'one', seq: 1, base: 0, cells: {}, version: '' }
    expect(await failureOf(() => roomStub(env, 'ahead').describe())).toContain(refused)
    expect(await failureOf(() => doorStub(env, 'ahead', 'xx-0').sync(report))).toContain(refused)
  })

  it('detects a migration that was edited after it shipped, even one before unknown migrations', async () => {
    await roomStub(env, 'moving').describe()
    await runInDurableObject(roomStub(env, 'moving') as unknown as DurableObjectStub, (_room, { storage }) => {
      const [first = '', ...rest] = ROOM_MIGRATIONS
      const edited = 'storage refused: migration 0 differs from the one that made this database'
      expect(() => migrate(storage.sql, [`${first} `, ...rest])).toThrow(edited)
      migrate(storage.sql, [...ROOM_MIGRATIONS, 'CREATE TABLE more (x);'])
      migrate(storage.sql, ROOM_MIGRATIONS)
      expect(() => migrate(storage.sql, [`${first} `, ...rest])).toThrow(edited)
      const other = [...ROOM_MIGRATIONS, 'CREATE TABLE other (x);']
      expect(() => migrate(storage.sql, other)).toThrow(`migration ${ROOM_MIGRATIONS.length} differs`)
    })
  })
})

describe('the migrations of this version', () => {
  /** These migrations are older than the rule. No version before them can be restored. */
  const BEFORE = [...ROOM_MIGRATIONS.slice(0, 3), ...DOOR_MIGRATIONS.slice(0, 2)]

  it('are additive, or marked as major', () => {
    const neither = [...ROOM_MIGRATIONS, ...DOOR_MIGRATIONS].filter(
      statements => !BEFORE.includes(statements) && !statements.startsWith(major('')) && !isAdditive(statements),
    )
    expect(neither).toEqual([])
  })

  it.each([
    ['CREATE TABLE more (x);', true],
    ['CREATE INDEX more ON doors (name);', true],
    // No migration makes a unique index, and any other index changes no answer.
    ['DROP INDEX IF EXISTS more;', true],
    ['ALTER TABLE doors ADD COLUMN note TEXT;', true],
    ["ALTER TABLE doors ADD COLUMN note TEXT NOT NULL DEFAULT '';", true],
    // Older code inserts rows without the new column, and may insert two rows with one value.
    ['ALTER TABLE doors ADD COLUMN note TEXT NOT NULL;', false],
    ['CREATE UNIQUE INDEX more ON doors (account);', false],
    ['ALTER TABLE doors DROP COLUMN account;', false],
    ['ALTER TABLE doors RENAME COLUMN account TO sums;', false],
    ['DROP TABLE doors;', false],
    ['CREATE TRIGGER t AFTER INSERT ON doors BEGIN DELETE FROM doors; END;', false],
  ])('are judged: %s', (statements, additive) => expect(isAdditive(statements)).toBe(additive))
})

/** Returns the message with which an object refuses a call. */
async function failureOf(call: () => Promise<unknown>): Promise<string> {
  try {
    await call()
    return 'it did not refuse'
  } catch (error) {
    return String(error)
  }
}

/** Returns whether older code still works on a database after these statements. */
function isAdditive(statements: string): boolean {
  const each = statements
    .replaceAll(/--.*$/gm, '')
    .split(';')
    .map(text => text.trim().replaceAll(/\s+/g, ' '))
    .filter(text => text !== '')
  return each.every(
    text =>
      /^(CREATE (TABLE|INDEX)|DROP INDEX) /i.test(text) ||
      (/^ALTER TABLE \w+ ADD COLUMN /i.test(text) && (!/ NOT NULL/i.test(text) || / DEFAULT /i.test(text))),
  )
}
