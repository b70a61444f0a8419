/** The schema of a change, with the purpose of each setting. */
import { describe, expect, it } from 'vitest'
import { describedSchema, settingsGroups } from '../../../src/settings/purposes/described.ts'
import { overridesSchema } from '../../../src/settings/schema.ts'

interface Node {
  readonly description?: string
  readonly properties?: Record<string, Node>
  readonly items?: Node
  readonly format?: string
}

const { properties = {} } = describedSchema() as Node

describe('the schema of a change', () => {
  it('has the purpose of a setting in plain words', () => {
    expect(properties.total_active_users).toEqual({
      type: 'integer',
      minimum: 1,
      maximum: 10_000_000,
      description: 'places: the most sessions at once',
    })
    expect(properties.remaining?.description).toBe('a budget of admissions')
    expect(properties.health?.properties?.target_ms?.description).toMatch(/^a good answer takes no longer/)
    expect(properties.rate_limits?.items?.properties?.match?.properties?.methods?.description).toMatch(/^every method/)
  })

  it('marks the times of an event, so that a form can ask for a date', () => {
    expect(properties.events?.items?.properties?.event_start_time).toMatchObject({
      type: 'string',
      format: 'date-time',
    })
    expect(properties.events?.items?.properties?.prequeue_start_time).toMatchObject({
      anyOf: [{ format: 'date-time' }, { type: 'null' }],
    })
  })

  it('has no Markdown link in any purpose', () => {
    expect(JSON.stringify(properties)).not.toMatch(/\]\(/)
  })
})

describe('the groups of settings', () => {
  it('have every live setting in exactly one of them', () => {
    const listed = settingsGroups().flatMap(({ settings }) => settings)
    expect(listed.sort()).toEqual(Object.keys(overridesSchema.shape).sort())
  })
})
