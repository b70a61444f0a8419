import { type AddressInfo, createServer } from 'node:net'

/** Returns a port that was free a moment ago. Another process may take it meanwhile. */
export async function freePort(): Promise<number> {
  const server = createServer()
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  await new Promise(resolve => server.close(resolve))
  return port
}
