/** A real redis-server that keeps nothing, as long as a tool runs. */
import { type ChildProcess, spawn } from 'node:child_process'

/** Starts one that listens as said; throws when there is none on the machine. Clients wait until it answers. */
export async function startRedis(
  where: { readonly port: number } | { readonly socket: string },
): Promise<ChildProcess> {
  const listen = 'port' in where ? ['--port', String(where.port)] : ['--port', '0', '--unixsocket', where.socket]
  const args = [...listen, '--save', '', '--appendonly', 'no', '--bind', '127.0.0.1']
  const child = spawn('redis-server', args, { stdio: 'ignore' })
  await new Promise<void>((started, failed) => {
    child.once('error', () => failed(new Error('redis-server is not on this machine: apt-get install redis-server')))
    child.once('spawn', started)
  })
  return child
}
