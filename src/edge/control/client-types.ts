/** `GET /client.d.ts?room=NAME`: the types of the script for sites, for apps written in TypeScript. */
import { OWN_HEADERS } from '../problem.ts'
import type { Visit } from '../request/visit.ts'

const TYPES = `// Types of the script for sites of a waiting room. Keep this file beside your sources.
declare namespace WaitingRoom {
  interface Options {
    /** \`dialog\` (the default) shows the waiting page over the present page. \`page\` goes there, and comes back. */
    readonly wait?: 'dialog' | 'page'
    /** The seconds before the end of a session at which the visitor is asked. The default is 60, and 0 never asks. */
    readonly warnSeconds?: number | string
  }

  interface Guard {
    /** Keeps the session, as a request of its visitor does. Returns false if the session is over. */
    extend(): Promise<boolean>
    /** The page from which the visitor came, as \`document.referrer\`, but also after a wait. */
    readonly referrer: string
  }
}

/** The script sets it. It is undefined where the script could not be loaded. */
declare var waitingRoom: WaitingRoom.Guard | undefined
`

/** TypeScript does not allow an address as the name of a module, but it allows a pattern that the address matches. */
const moduleTypes = (pattern: string) => `
declare module '${pattern}' {
  /** Watches the requests and the session of this page. Call it once, before the first request. */
  export function guard(options?: WaitingRoom.Options): WaitingRoom.Guard
}
`

/** Returns the types. If their address names a room, the module in them has the address with this room. */
export function clientTypes({ url }: Visit, room: string): Response {
  const query = url.searchParams.has('room') ? `?room=${room}` : ''
  const headers = { 'Content-Type': 'text/plain; charset=utf-8', 'Cache-Control': 'no-cache', ...OWN_HEADERS }
  return new Response(TYPES + moduleTypes(`*/client.mjs${query}`), { headers })
}
