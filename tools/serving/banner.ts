/**
 * The lines that a server prints once it serves: its addresses, which machines can reach it, and why it is not ready
 * yet.
 */
import { setTimeout as pause } from 'node:timers/promises'
import { adviceOnTrustedHeader } from '../../src/settings/trusted-header.ts'
import { isEvery, isLoopback, LOOPBACK } from './listen.ts'
import type { Served } from './workerd.ts'

interface Where {
  readonly host?: string
  readonly controlPrefix: string
  readonly variables: { readonly ADMIN_HOST: string; readonly TRUSTED_IP_HEADER: string }
}

/** Doors and rooms may still be waking up, so their readiness is checked up to this many times. */
const TRIES = 10
const EVERY_MS = 300

export async function announce({ url }: Served, where: Where, origin: string): Promise<void> {
  const { host = LOOPBACK, controlPrefix, variables } = where
  const admin = variables.ADMIN_HOST === '*' ? url : `//${variables.ADMIN_HOST}`
  console.log(`serving     ${url}/   (origin ${origin})`)
  console.log(`dashboard   ${admin}${controlPrefix}/admin/`)
  console.log(`admin API   ${admin}${controlPrefix}/api/v1/rooms`)
  console.log(`open to     ${audience(host)}`)
  if (!isLoopback(host) && variables.ADMIN_HOST === '*')
    console.log('            the dashboard answers on every host: name the only one with --admin-host')
  const advice = adviceOnTrustedHeader(variables.TRUSTED_IP_HEADER || null, 'elsewhere')
  if (advice !== null) console.log(`advice      --trusted-ip-header: ${advice}`)
  for (const reason of await outages(`${url}${controlPrefix}/readyz`)) console.error(`not ready: ${reason}`)
}

/** Returns in words which machines can reach a server that listens on this address. */
export function audience(host: string): string {
  if (isLoopback(host)) return 'this machine only; --host 0.0.0.0 opens it to others'
  return isEvery(host) ? 'all who can reach this machine' : `all who can reach ${host}`
}

/** Returns the reasons that the server gives for not being ready. Returns no reasons once it is ready. */
async function outages(readyz: string): Promise<readonly string[]> {
  let reasons: readonly string[] = []
  for (let nth = 0; nth < TRIES; nth++) {
    const response = await fetch(readyz, { signal: AbortSignal.timeout(5_000) }).catch(() => null)
    if (response?.ok) return []
    const body = (await response?.json().catch(() => null)) as { reasons?: readonly string[] } | null | undefined
    reasons = body?.reasons ?? ['no answer']
    await pause(EVERY_MS)
  }
  return reasons
}
