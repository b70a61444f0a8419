/**
 * Schema versions of an object's database: an append-only list of statements.
 *
 * A migration is additive: older code still works on a database that newer code has migrated, so a deployment can be
 * rolled back. A migration that cannot be additive is marked with `major`, and older code then refuses the database.
 * Applied statements are stored with the database. So a migration that was edited after it shipped is detected, instead
 * of leaving two kinds of databases.
 */
import { STORAGE_REFUSED } from '../core/protocol/calls.ts'

/** The first line of a migration after which older code must not touch the database. */
const MAJOR = '-- major'

/** Marks a migration that older code cannot work with. It makes a rollback impossible, so use it as a last resort. */
export function major(statements: string): string {
  return `${MAJOR}\n${statements}`
}

/**
 * Applies the missing migrations. Throws when an applied migration differs from the list, or when the database has a
 * newer major migration.
 */
export function migrate(sql: SqlStorage, migrations: readonly string[]): void {
  sql.exec(
    'CREATE TABLE IF NOT EXISTS migrations (version INTEGER PRIMARY KEY, statements TEXT NOT NULL) WITHOUT ROWID',
  )
  const applied = sql.exec<{ statements: string }>('SELECT statements FROM migrations ORDER BY version').toArray()
  applied.forEach(({ statements }, version) => {
    const own = migrations[version]
    if (own === undefined ? statements.startsWith(MAJOR) : own !== statements) {
      throw new Error(`${STORAGE_REFUSED}: ${own === undefined ? tooNew(version) : edited(version)}`)
    }
  })
  migrations.slice(applied.length).forEach((statements, index) => {
    sql.exec(statements)
    sql.exec('INSERT INTO migrations (version, statements) VALUES (?, ?)', applied.length + index, statements)
  })
}

function tooNew(version: number): string {
  const cause = `a newer version of the program has made this database (migration ${version} is major)`
  return `${cause}: deploy that version again`
}

function edited(version: number): string {
  return `migration ${version} differs from the one that made this database`
}
