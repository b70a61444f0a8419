/** What a built folder says of itself. */
import type { Bundle, Module } from './bundle.ts'

export const FOLDER_FILE = 'antesala.json'

export interface FolderFile extends Omit<Bundle, 'modules' | 'workerd'> {
  readonly version: string
  /** Of the npm package of the runtime. */
  readonly workerdVersion: string
  readonly modules: readonly Omit<Module, 'path'>[]
}
