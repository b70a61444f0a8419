/** The built Worker in plain workerd with a room in each state, an insider in each room, and an origin that records. */
import { freePort } from '../support/ports.ts'
import { newAdminToken, newRoomKeys } from '../support/secrets.ts'
import { startServe } from '../support/workerd.ts'
import { enter, untilShut, Visits } from './insiders.ts'
import type { Judged } from './judge.ts'
import { type RecordingOrigin, startRecordingOrigin } from './origin.ts'
import { ADMIN_HOST, PASSTHROUGH_HOST, REGIONS, roomOf } from './regions.ts'

export interface FuzzedSite extends Judged {
  readonly name: string
  readonly port: number
  readonly origin: RecordingOrigin
  /** Returns what workerd has written to its log since the last call. */
  takeLog(): string
  /** Whether the site still serves two plain requests: a page in an open room, and a page outside of every room. */
  isWell(): Promise<boolean>
  stop(): Promise<void>
}

/** One site for each way to the origin. If one does not start, the other is stopped. */
export async function startFuzzedSites(): Promise<readonly FuzzedSite[]> {
  const started = await Promise.allSettled([startFuzzedSite(false), startFuzzedSite(true)])
  const sites = started.flatMap(one => (one.status === 'fulfilled' ? [one.value] : []))
  const failed = started.find(one => one.status === 'rejected')
  if (!failed) return sites
  await Promise.all(sites.map(site => site.stop()))
  throw failed.reason
}

/** `sendsHost` chooses which `Host` the origin receives. Each choice has its own way to the origin. */
async function startFuzzedSite(sendsHost: boolean): Promise<FuzzedSite> {
  const origin = await startRecordingOrigin()
  const port = await freePort()
  const adminToken = newAdminToken()
  const served = await startServe({
    port,
    origin: origin.url,
    rooms: REGIONS.map(roomOf),
    storage: 'memory',
    roomKeys: await newRoomKeys(['invited']),
    adminToken,
    variables: {
      ADMIN_HOST,
      PASSTHROUGH_HOSTS: PASSTHROUGH_HOST,
      ORIGIN_HOST_HEADER: sendsHost ? 'visitor' : 'origin',
    },
  })
  let log = ''
  served.process.stderr?.on('data', chunk => {
    log += chunk
  })
  const visits = new Visits(port, adminToken)
  const stop = async () => {
    visits.close()
    await served.stop()
    await origin.stop()
  }
  try {
    const passes = await enter(visits, REGIONS)
    const tokens = new Map([...passes, ...(await untilShut(visits, REGIONS))])
    // Requests until now do not belong to the run.
    origin.take()
    return {
      name: sendsHost ? "the origin sees the visitor's host" : 'the origin sees its own host',
      tokens,
      sendsHost,
      port,
      origin,
      takeLog: () => {
        const taken = log
        log = ''
        return taken
      },
      isWell: async () => {
        const answers = [await visits.get('/open/well'), await visits.get('/free/well')]
        return answers.every(({ status }) => status === 200)
      },
      stop,
    }
  } catch (error) {
    await stop()
    throw error
  }
}
