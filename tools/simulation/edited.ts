/**
 * Runs the simulator on a copy of the core with one edit: to see what a constant gains, or whether a mistake is
 * noticed.
 */
import { spawnSync } from 'node:child_process'
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

const ROOT = join(import.meta.dirname, '../..')
/** All files that the simulator needs. */
const COPIED = [
  'src/core',
  'tools/simulation',
  'tools/support/cli.ts',
  'tools/plot',
  'tools/simulate.ts',
  'package.json',
]

export interface Edit {
  /** A path within src/core. */
  readonly file: string
  /** Text that must occur exactly once in the file. */
  readonly from: string
  readonly to: string
}

export function simulateEdited(flags: string, edit: Edit | null) {
  const copy = mkdtempSync(join(tmpdir(), 'antesala-'))
  try {
    for (const path of COPIED) cpSync(join(ROOT, path), join(copy, path), { recursive: true })
    if (edit) {
      const file = join(copy, 'src/core', edit.file)
      const source = readFileSync(file, 'utf8')
      if (source.split(edit.from).length !== 2) throw new Error(`${edit.file} has no single "${edit.from.trim()}"`)
      writeFileSync(
        file,
        source.replace(edit.from, () => edit.to),
      )
    }
    const args = [join(copy, 'tools/simulate.ts'), '--json', ...flags.split(' ')]
    const { status, stdout, stderr } = spawnSync(process.execPath, args, { encoding: 'utf8' })
    return { status, stdout, stderr }
  } finally {
    rmSync(copy, { recursive: true })
  }
}
