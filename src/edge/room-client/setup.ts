/** The setup of an isolate, made once: the configuration, the keys, and a client for each room. */

import { log } from '../../runtime/log.ts'
import { type Deployment, readDeployment } from '../../settings/deployment.ts'
import type { Env } from '../../settings/env.ts'
import { type KeyRing, openKeyRing } from '../../tokens/keyring.ts'
import { Routes } from '../request/room-routes.ts'
import { TrustedHeader } from '../request/trusted-header.ts'
import { Memory } from './memory.ts'
import { RoomClient } from './room-client.ts'

export interface EdgeSetup {
  readonly deployment: Deployment
  /** The public keys of passes, as published. */
  readonly jwks: KeyRing['jwks']
  readonly routes: Routes
  readonly rooms: ReadonlyMap<string, RoomClient>
  readonly trustedHeader: TrustedHeader
}

/**
 * Reads the configuration and opens the keys. Throws SettingsError or KeyRingError, whose message is for the operator.
 */
export async function prepare(env: Env): Promise<EdgeSetup> {
  const deployment = readDeployment(env)
  const memory = new Memory()
  const ring = await openKeyRing(env.ROOM_KEYS, Date.now())
  for (const { name, lanes, invite_only } of deployment.rooms) {
    if ((lanes.length > 0 || invite_only) && !ring.invitations.has(name))
      log('no-invitation-key', {
        room: name,
        detail: 'no visitor can be invited: ROOM_KEYS has no key for invitations',
      })
  }
  return {
    deployment,
    jwks: ring.jwks,
    routes: new Routes(deployment.rooms),
    rooms: new Map(deployment.rooms.map(room => [room.name, new RoomClient(room, ring, memory)])),
    trustedHeader: new TrustedHeader(deployment.trustedIpHeader),
  }
}
