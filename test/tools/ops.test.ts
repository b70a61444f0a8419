import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import * as z from 'zod'
import { METRIC_NAMES } from '../../src/admin/metrics.ts'
import { VERSION } from '../../src/admin/version.ts'

const ROOT = new URL('../../', import.meta.url)
const read = (file: string) => readFileSync(new URL(file, ROOT), 'utf8')

const target = z.object({ refId: z.string(), expr: z.string().min(1), legendFormat: z.string() })
const panel = z.object({
  id: z.number(),
  type: z.enum(['row', 'stat', 'timeseries']),
  title: z.string().min(1),
  gridPos: z.object({ h: z.number(), w: z.number().max(24), x: z.number().max(23), y: z.number() }),
  targets: z.array(target).min(1).optional(),
})
const dashboard = z.object({
  title: z.string(),
  uid: z.string(),
  schemaVersion: z.number().min(36),
  templating: z.object({ list: z.array(z.object({ name: z.string(), type: z.string() })) }),
  panels: z.array(panel).min(10),
})

describe('the files for monitoring', () => {
  it.each(['docs/ops/prometheus-rules.yml', 'docs/ops/prometheus-rules.test.yml', 'docs/ops/grafana-dashboard.json'])(
    'name only metrics that exist: %s',
    file => {
      const named = new Set(read(file).match(/\bantesala_[a-z_]+/g))
      expect(named.size).toBeGreaterThan(3)
      expect([...named].filter(name => !METRIC_NAMES.includes(name))).toEqual([])
    },
  )

  it('have a rule for each tested alert', () => {
    const rules = read('docs/ops/prometheus-rules.yml').match(/(?<=- alert: )\w+/g)
    const tested = new Set(read('docs/ops/prometheus-rules.test.yml').match(/(?<=alertname: )\w+/g))
    expect([...tested].filter(name => !rules?.includes(name))).toEqual([])
  })

  it('have a dashboard in the form of Grafana, with panels that do not overlap', () => {
    const { panels, templating } = dashboard.parse(JSON.parse(read('docs/ops/grafana-dashboard.json')))
    expect(templating.list.map(({ name }) => name)).toEqual(['datasource', 'room'])
    expect(new Set(panels.map(({ id }) => id)).size).toBe(panels.length)
    const cells = panels.flatMap(({ gridPos: { x, y, w, h } }) =>
      Array.from({ length: w * h }, (_, cell) => `${x + (cell % w)} ${y + Math.floor(cell / w)}`),
    )
    expect(new Set(cells).size).toBe(cells.length)
  })
})

describe('the version in the metrics', () => {
  it('is that of the package', () => {
    expect(VERSION).toBe((JSON.parse(read('package.json')) as { version: string }).version)
  })
})
