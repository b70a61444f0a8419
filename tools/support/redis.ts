/** A real redis-server that keeps nothing, as long as a tool runs. */

import { needProgram } from '../testing/programs.ts'
import { type Child, startChild } from './children.ts'

/** Starts one that listens as said; throws when there is none on the machine. Clients wait until it answers. */
export async function startRedis(where: { readonly port: number } | { readonly socket: string }): Promise<Child> {
  const listen = 'port' in where ? ['--port', String(where.port)] : ['--port', '0', '--unixsocket', where.socket]
  const args = [...listen, '--save', '', '--appendonly', 'no', '--bind', '127.0.0.1']
  return startChild(await needProgram('redis'), args, { stdio: 'ignore' })
}
