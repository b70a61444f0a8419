/** The parts of a server: the built Worker, the runtime settings that it was built for, and the runtime. */

export interface Module {
  readonly name: string
  readonly path: string
  readonly kind: 'esModule' | 'text'
}

export interface Bundle {
  /** The entry first, then its texts. */
  readonly modules: readonly Module[]
  readonly compatibilityDate: string
  readonly compatibilityFlags: readonly string[]
  /** Variables of the configuration that the Worker was built with. */
  readonly vars: Readonly<Record<string, unknown>>
  /** The runtime's own executable, not its wrapper in node: signals must reach it. */
  readonly workerd: string
}
