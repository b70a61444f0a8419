/** A real redis-server that stores nothing on disk, and runs as long as a tool needs it. */

import { needProgram } from '../testing/programs.ts'
import { type Child, startChild } from './children.ts'

/**
 * Starts a server on the given port or socket. Throws when the machine has no redis-server. Clients wait until it
 * answers.
 */
export async function startRedis(where: { readonly port: number } | { readonly socket: string }): Promise<Child> {
  const listen = 'port' in where ? ['--port', String(where.port)] : ['--port', '0', '--unixsocket', where.socket]
  const args = [...listen, '--save', '', '--appendonly', 'no', '--bind', '127.0.0.1']
  return startChild(await needProgram('redis'), args, { stdio: 'ignore' })
}
