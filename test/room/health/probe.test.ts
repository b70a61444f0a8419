import { describe, expect, it } from 'vitest'
import { probeUrl } from '../../../src/room/health/probe.ts'
import { readDeployment } from '../../../src/settings/deployment.ts'

const ORIGIN = 'http://10.0.0.7:8080'

/** Where a probe of `/up` goes for a room with this host. */
function urlFor(host: string, variables: { ORIGIN?: string; ORIGIN_HOST_HEADER?: string }, isFixed = false) {
  const deployment = readDeployment({
    ROOMS: [{ name: 'shop', host, total_active_users: 1, new_users_per_minute: 1 }],
    ...variables,
  })
  const [room] = deployment.rooms
  return room ? probeUrl(room, '/up', deployment, isFixed) : 'no room'
}

describe('a probe', () => {
  it('goes to the origin, whatever the host of the room', () => {
    expect(urlFor('shop.example', { ORIGIN })).toBe(`${ORIGIN}/up`)
    expect(urlFor('*', { ORIGIN })).toBe(`${ORIGIN}/up`)
  })

  it('uses the host of the room where the origin receives the Host of the visitor', () => {
    expect(urlFor('shop.example', { ORIGIN, ORIGIN_HOST_HEADER: 'visitor' })).toBe('https://shop.example/up')
    expect(urlFor('shop.example', { ORIGIN, ORIGIN_HOST_HEADER: 'visitor' }, true)).toBe('https://shop.example/up')
  })

  it('of a room without a single host goes where every request goes, or nowhere', () => {
    expect(urlFor('*', { ORIGIN, ORIGIN_HOST_HEADER: 'visitor' }, true)).toBe(`${ORIGIN}/up`)
    expect(urlFor('*', { ORIGIN, ORIGIN_HOST_HEADER: 'visitor' })).toBeNull()
    expect(urlFor('*.example', {})).toBeNull()
    expect(urlFor('shop.example', {})).toBe('https://shop.example/up')
  })
})
