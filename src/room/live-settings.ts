/** The settings in force: the deployed file, and the operators' live changes to it, which are stored and versioned. */
import { fnv1a } from '../core/hash.ts'
import type { ChangeOutcome, ChangeRequest } from '../core/protocol/calls.ts'
import { log } from '../runtime/log.ts'
import { type LiveChange, liveChange } from '../settings/changes.ts'
import { compile, type RoomSettings } from '../settings/compiled/room.ts'
import { withoutPages } from '../settings/custom-page.ts'
import { SettingsError } from '../settings/messages.ts'
import { fitting, type Overrides, withOverrides } from '../settings/rooms.ts'
import type { RoomConfig } from '../settings/schema.ts'
import type { RoomStore } from './store.ts'

export class LiveSettings {
  readonly file: RoomConfig
  readonly #fileMark: string
  readonly #store: RoomStore
  #overrides: Overrides
  #changeVersion: number
  #settings: RoomSettings

  constructor(file: RoomConfig, store: RoomStore) {
    this.file = file
    this.#fileMark = fnv1a(JSON.stringify(file)).toString(36)
    this.#store = store
    const { version, overrides } = store.overrides()
    this.#changeVersion = version
    this.#overrides = overrides
    this.#settings = compile(this.#effective())
  }

  get settings(): RoomSettings {
    return this.#settings
  }

  /**
   * The version changes with the deployed file and with every live change, so that an edge can detect outdated
   * settings.
   */
  get version(): string {
    return `${this.#fileMark}.${this.#changeVersion}`
  }

  /** The settings for operators. `overridden` has the names of the settings that live changes have set. */
  get description() {
    const { version, file } = this
    return { version, settings: this.#settings.config, file, overridden: Object.keys(this.#overrides) }
  }

  /** Returns what a request would change, or why it changes nothing. It does not apply the change. */
  changeFor(request: ChangeRequest): LiveChange | (ChangeOutcome & { kind: 'invalid' | 'unchanged' }) {
    const inForce = { file: this.file, overrides: this.#overrides, config: this.#settings.config }
    try {
      return liveChange(inForce, request) ?? { kind: 'unchanged', version: this.version }
    } catch (error) {
      if (error instanceof SettingsError) return { kind: 'invalid', problems: error.problems }
      throw error
    }
  }

  /**
   * Returns what a request changes, or why it changes nothing. For a new budget it first waits for `beforeRestock`.
   * Meanwhile another operator may change the room, so the request is then checked again.
   */
  async decide(
    request: ChangeRequest,
    ifVersions: readonly string[] | null,
    beforeRestock: () => Promise<void>,
  ): Promise<LiveChange | Exclude<ChangeOutcome, { kind: 'changed' }>> {
    const asked = this.changeFor(request)
    const askedVersion = this.version
    if ('restocks' in asked && asked.restocks) await beforeRestock()
    const { version } = this
    if (ifVersions !== null && !ifVersions.includes(version)) return { kind: 'outdated', version }
    return version === askedVersion ? asked : this.changeFor(request)
  }

  /** Applies a change and stores it. */
  apply({ overrides, config, request }: LiveChange, actor: string, nowMs: number): void {
    this.#settings = compile(config)
    this.#overrides = overrides
    this.#changeVersion++
    const entry = { version: this.#changeVersion, atMs: nowMs, actor, request: withoutPages(request) }
    this.#store.recordChange(entry, overrides)
    // Values may be secrets, such as the header of a bypass rule. So only the names of settings are logged.
    const names = 'set' in request ? { set: Object.keys(request.set ?? {}) } : { reset: request.reset }
    log('settings-changed', { room: this.file.name, ...names, actor, version: this.version })
  }

  /** Stored changes may not fit a new file. The ones that fit stay in force. Each of the others is logged. */
  #effective(): RoomConfig {
    const { overrides, problems } = fitting(this.file, this.#overrides)
    for (const { path, message } of problems)
      log('change-ignored', { room: this.file.name, detail: `with the deployed file ${path} ${message}` })
    this.#overrides = overrides
    return withOverrides(this.file, overrides)
  }
}
