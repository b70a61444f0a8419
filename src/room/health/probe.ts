/**
 * One active probe: a request of the room's own to the origin, with a timeout, that tells whether it answers as it
 * should.
 */
import { atOrigin, type Deployment } from '../../settings/deployment.ts'
import type { Env } from '../../settings/env.ts'
import type { ProbeConfig } from '../../settings/health.ts'
import type { RoomConfig } from '../../settings/schema.ts'

/**
 * Where a probe goes, null where no address is known. Where the origin sees the visitor's Host, the probe needs a host
 * of the room's own, unless `isFixed`: then every request goes to the address of the origin, whatever its Host.
 */
export function probeUrl(room: RoomConfig, path: string, deployment: Deployment, isFixed: boolean): string | null {
  if (!room.host.includes('*')) return atOrigin(`https://${room.host}${path}`, deployment)
  const { origin, originHostHeader } = deployment
  return origin !== null && (isFixed || originHostHeader === 'origin') ? origin + path : null
}

/** Milliseconds to the first byte of the expected answer, null for any other end. */
export async function probe(url: string, room: RoomConfig, config: ProbeConfig, env: Env): Promise<number | null> {
  const sentMs = Date.now()
  const isHidden = !room.host.includes('*') && new URL(url).host !== room.host
  const forwarded = isHidden ? { 'X-Forwarded-Host': room.host } : {}
  const init = {
    headers: { 'User-Agent': 'antesala-probe', Accept: '*/*', 'X-Forwarded-Proto': 'https', ...forwarded },
    redirect: 'manual',
    signal: AbortSignal.timeout(config.timeout * 1_000),
  } as const
  try {
    const response = await (env.ORIGIN_SERVICE ? env.ORIGIN_SERVICE.fetch(url, init) : fetch(url, init))
    const tookMs = Date.now() - sentMs
    await response.body?.cancel()
    return response.status === config.status ? tookMs : null
  } catch (error) {
    console.warn(`probe of ${url}: ${String(error)}`)
    return null
  }
}
