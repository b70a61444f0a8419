/**
 * One active probe: the room's own request to the origin, with a timeout. It tests whether the origin answers as it
 * should.
 */

import { seldom } from '../../runtime/log.ts'
import { atOrigin, type Deployment } from '../../settings/deployment.ts'
import type { Env } from '../../settings/env.ts'
import type { ProbeConfig } from '../../settings/health.ts'
import type { RoomConfig } from '../../settings/schema.ts'

/**
 * Returns the URL of a probe, or null where no address is known. If the origin expects the visitor's Host, only a room
 * with one host has an address. With `isFixed` every request goes to the address of the origin, whatever its Host.
 */
export function probeUrl(room: RoomConfig, path: string, deployment: Deployment, isFixed: boolean): string | null {
  if (!room.host.includes('*')) return atOrigin(`https://${room.host}${path}`, deployment)
  const { origin, originHostHeader } = deployment
  return origin !== null && (isFixed || originHostHeader === 'origin') ? origin + path : null
}

/** Returns the milliseconds until the expected answer begins, or null for any other outcome. */
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
    seldom.note('probe-failed', { room: room.name, detail: `${url}: ${String(error)}` }, sentMs)
    return null
  }
}
