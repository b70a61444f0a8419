/** The description that a built folder contains of itself. */
import type { Bundle, Module } from './bundle.ts'

export const FOLDER_FILE = 'antesala.json'

export interface FolderFile extends Omit<Bundle, 'modules' | 'workerd'> {
  readonly version: string
  /** The version of the runtime's npm package. */
  readonly workerdVersion: string
  readonly modules: readonly Omit<Module, 'path'>[]
}
