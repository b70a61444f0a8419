/** The tables of settings in the documentation. */
import { readdirSync, readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import * as z from 'zod'
import { deploymentSchema } from '../../../src/settings/deployment.ts'
import { numberIn, oneOf } from '../../../src/settings/messages.ts'
import { roomSchema } from '../../../src/settings/schema.ts'
import { SCHEMA_FILE, schemaText } from '../../../tools/docs/rooms-schema.ts'
import { rowsOf } from '../../../tools/docs/schema-rows.ts'
import { TABLES } from '../../../tools/docs/settings.ts'
import { tablesIn, withTables } from '../../../tools/docs/tables.ts'

const PAGES = readdirSync('docs')
  .filter(name => name.endsWith('.md'))
  .map(name => ({ name, text: readFileSync(`docs/${name}`, 'utf8') }))

describe('the tables of settings', () => {
  it.each(PAGES.filter(({ text }) => tablesIn(text).length > 0))('in $name are those of the schema', ({ text }) => {
    // `npm run docs` writes them anew.
    expect(text).toBe(withTables(text))
  })

  it('are each in exactly one page', () => {
    expect(PAGES.flatMap(({ text }) => tablesIn(text)).sort()).toEqual(Object.keys(TABLES).sort())
  })

  it('contain every setting of a room and every variable exactly once', () => {
    const listed = Object.values(TABLES).flatMap(({ prefix, purposes }) =>
      Object.keys(purposes).map(path => prefix + path),
    )
    const known = [...rowsOf(roomSchema), ...rowsOf(z.object(deploymentSchema.shape))]
    expect(listed.sort()).toEqual(known.map(({ path }) => path).sort())
  })
})

describe('a row of a setting', () => {
  const rowOf = (schema: z.ZodType) => rowsOf(z.strictObject({ setting: schema }))[0]

  it('has the range and the default of a number', () => {
    expect(rowOf(numberIn(1, 1_000).default(20))).toMatchObject({ preset: '20', values: 'whole, 1 to 1,000' })
    expect(rowOf(numberIn(0, 1, 'fractions'))).toMatchObject({ preset: 'required', values: '0 to 1' })
  })

  it('has the choices of a setting, and none as the default of null', () => {
    expect(rowOf(oneOf('hold', 'admit').nullable().default(null))).toEqual({
      path: 'setting',
      preset: 'none',
      values: '`hold`, `admit`',
    })
  })

  it('is followed by those of the settings inside of it', () => {
    const list = z
      .array(z.strictObject({ name: z.string(), share: numberIn(0, 1).optional() }))
      .max(8)
      .default([])
    expect(rowsOf(z.strictObject({ lanes: list }))).toEqual([
      { path: 'lanes', preset: 'none', values: 'a list, up to 8' },
      { path: 'lanes[].name', preset: 'required', values: 'text' },
      { path: 'lanes[].share', preset: 'optional', values: 'whole, 0 to 1' },
    ])
  })
})

describe('the schema of a rooms file', () => {
  const schema = JSON.parse(readFileSync(`docs/${SCHEMA_FILE}`, 'utf8'))
  const accepts = (value: unknown) => z.fromJSONSchema(schema).safeParse(value).success
  const room = { name: 'shop', host: 'shop.example', total_active_users: 10, new_users_per_minute: 5 }

  it('is that of the settings', () => {
    // `npm run docs` writes it anew.
    expect(readFileSync(`docs/${SCHEMA_FILE}`, 'utf8')).toBe(schemaText())
  })

  it('accepts a list of rooms, and an object with the address of the schema', () => {
    expect(accepts([room])).toBe(true)
    expect(accepts({ $schema: './rooms.schema.json', rooms: [room] })).toBe(true)
  })

  it.each([
    ['a misspelt setting', { ...room, new_user_per_minute: 5 }],
    ['a value out of its range', { ...room, session_duration: 0 }],
    ['a room without a host', { ...room, host: undefined }],
    ['a value of no meaning', { ...room, queueing_method: 'lifo' }],
  ])('refuses %s', (_what, wrong) => {
    expect(accepts([wrong])).toBe(false)
  })

  it('describes the settings in words', () => {
    expect(schema.$defs.room.properties.total_active_users.description).toBe('places: the most sessions at once')
  })
})
