/** The settings in force: the deployed file, and the operators' live changes to it, which are stored and versioned. */
import { fnv1a } from '../core/hash.ts'
import type { ChangeOutcome, ChangeRequest } from '../core/protocol/calls.ts'
import { liveChange } from '../settings/changes.ts'
import { compile, type RoomSettings } from '../settings/compiled/room.ts'
import { withoutPages } from '../settings/custom-page.ts'
import { SettingsError } from '../settings/messages.ts'
import { fitting, type Overrides, withOverrides } from '../settings/rooms.ts'
import type { RoomConfig } from '../settings/schema.ts'
import type { RoomStore } from './store.ts'

/** Settings as they would be after a change. */
interface Changed {
  readonly kind: 'valid'
  readonly overrides: Overrides
  readonly settings: RoomSettings
  /** The part of the request that changes something. */
  readonly request: ChangeRequest
  /** The budget starts again. */
  readonly restocks: boolean
}

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

  /** Changes with the deployed file and with every live change, so that an edge can detect outdated settings. */
  get version(): string {
    return `${this.#fileMark}.${this.#changeVersion}`
  }

  get overridden(): readonly string[] {
    return Object.keys(this.#overrides)
  }

  /** Returns the settings with the whole change, or why there is no change. Puts nothing in force. */
  after(request: ChangeRequest): Changed | (ChangeOutcome & { kind: 'invalid' | 'unchanged' }) {
    try {
      const change = liveChange(this.#overrides, request, this.file)
      if (!change) return { kind: 'unchanged', version: this.version }
      return { kind: 'valid', ...change, settings: compile(withOverrides(this.file, change.overrides)) }
    } catch (error) {
      if (error instanceof SettingsError) return { kind: 'invalid', problems: error.problems }
      throw error
    }
  }

  become({ overrides, settings }: Changed): void {
    this.#settings = settings
    this.#overrides = overrides
    this.#changeVersion++
  }

  /** Stores the change that is in force now. */
  record(atMs: number, actor: string, request: ChangeRequest): void {
    this.#store.recordChange(this.#changeVersion, atMs, actor, withoutPages(request), this.#overrides)
  }

  /** Stored changes may not fit a new file. Those that fit stay in force, and the log names each of the others. */
  #effective(): RoomConfig {
    const { overrides, problems } = fitting(this.file, this.#overrides)
    for (const { path, message } of problems)
      console.error(`a live change of room ${this.file.name} is not in force: with its file ${path} ${message}`)
    this.#overrides = overrides
    return withOverrides(this.file, overrides)
  }
}
