/** Types of `/.waiting-room/client.mjs`. Copy this file into your project. */

export interface Options {
  /** `dialog` (the default) shows the waiting page over the present page. `page` goes there, and comes back. */
  readonly wait?: 'dialog' | 'page'
  /** The seconds before the end of a session at which the visitor is asked. The default is 60, and 0 never asks. */
  readonly warnSeconds?: number | string
}

export interface WaitingRoom {
  /** Keeps the session, as a request of its visitor does. Returns false if the session is over. */
  extend(): Promise<boolean>
  /** The page from which the visitor came, as `document.referrer`, but also after a wait. */
  readonly referrer: string
}

/** Watches the requests and the session of this page. Call it once, before the first request. */
export function guard(options?: Options): WaitingRoom
