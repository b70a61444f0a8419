/** The options of a server. */
export interface ServeOptions {
  /** The address to listen on, 127.0.0.1 by default. */
  readonly host?: string
  readonly port: number
  /** Where admitted requests go. */
  readonly origin: string
  /** Rooms that replace those of the configuration. */
  readonly rooms?: unknown
  /** A directory, or `memory`. */
  readonly storage: string
  readonly roomKeys: string
  /** The control prefix of the settings, if they contain one. */
  readonly controlPrefix?: string
  readonly adminToken: string
  /** Copies of the Worker, each an isolate of its own, over one set of objects. */
  readonly isolates?: number
  /** Whether a proxy in front reports the visitor's scheme in X-Forwarded-Proto. */
  readonly behindProxy?: boolean
  readonly variables?: Readonly<Record<string, string>>
}
