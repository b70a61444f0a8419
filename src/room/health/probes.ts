/** Schedules and sends the probes of upstreams in trouble. */
import type { UpstreamRules } from '../../core/health/state.ts'
import type { RoomSettings } from '../../settings/compiled/room.ts'
import type { Deployment } from '../../settings/deployment.ts'
import type { Env } from '../../settings/env.ts'
import type { RoomConfig } from '../../settings/schema.ts'
import { probe, probeUrl } from './probe.ts'

type Asked = NonNullable<ReturnType<RoomSettings['health']['probes']['get']>>

export class Probes {
  readonly #deployment: Deployment
  readonly #env: Env
  /** When each upstream was last probed. */
  readonly #atMs = new Map<string, number>()

  constructor(deployment: Deployment, env: Env) {
    this.#deployment = deployment
    this.#env = env
  }

  /**
   * Probes the upstreams that are due. Calls `note` for each with the time it took, or null when there was no good
   * answer.
   */
  async run(
    upstreams: readonly UpstreamRules[],
    { health, config }: RoomSettings,
    note: (upstream: UpstreamRules, answer: { tookMs: number | null; targetMs: number }) => void,
  ): Promise<void> {
    await Promise.all(
      upstreams.map(async upstream => {
        const asked = health.probes.get(upstream.name)
        const url = asked ? this.#urlOf(config, asked) : null
        const nowMs = Date.now()
        if (!asked || url === null || nowMs < this.#nextMs(upstream.name, asked)) return
        this.#atMs.set(upstream.name, nowMs)
        note(upstream, { tookMs: await probe(url, config, asked, this.#env), targetMs: asked.targetMs })
      }),
    )
  }

  /** Returns when the next probe is due, or null when no upstream can be probed. */
  nextMs(upstreams: readonly UpstreamRules[], { health, config }: RoomSettings): number | null {
    const due = upstreams.flatMap(({ name }) => {
      const asked = health.probes.get(name)
      const isReachable = asked && this.#urlOf(config, asked) !== null
      return isReachable ? [this.#nextMs(name, asked)] : []
    })
    return due.length === 0 ? null : Math.min(...due)
  }

  #urlOf(config: RoomConfig, { path }: Asked): string | null {
    return probeUrl(config, path, this.#deployment, this.#env.ORIGIN_SERVICE !== undefined)
  }

  #nextMs(upstream: string, { interval }: Asked): number {
    return (this.#atMs.get(upstream) ?? 0) + interval * 1_000
  }
}
