/** How a server is to run. */
export interface ServeOptions {
  /** The address to listen on, 127.0.0.1 by default. */
  readonly host?: string
  readonly port: number
  /** Where admitted requests go. */
  readonly origin: string
  /** Rooms instead of those of the configuration. */
  readonly rooms?: unknown
  /** A directory, or `memory`. */
  readonly storage: string
  readonly roomKeys: string
  /** As in the settings, where they name one. */
  readonly controlPrefix?: string
  readonly adminToken: string
  /** Copies of the Worker, each an isolate of its own, over one set of objects. */
  readonly isolates?: number
  /** A proxy in front says in X-Forwarded-Proto by which scheme the visitor came. */
  readonly behindProxy?: boolean
  readonly variables?: Readonly<Record<string, string>>
}
