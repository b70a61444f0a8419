/**
 * Schema versions of an object's database: an append-only list. What has been applied is remembered as it was, so a
 * migration that was edited after it shipped is found out instead of leaving two kinds of databases.
 */

/** Applies what is missing. Throws when the database's past is not this list's beginning. */
export function migrate(sql: SqlStorage, migrations: readonly string[]): void {
  sql.exec(
    'CREATE TABLE IF NOT EXISTS migrations (version INTEGER PRIMARY KEY, statements TEXT NOT NULL) WITHOUT ROWID',
  )
  const applied = sql.exec<{ statements: string }>('SELECT statements FROM migrations ORDER BY version').toArray()
  applied.forEach(({ statements }, version) => {
    if (migrations[version] !== statements)
      throw new Error(`storage migration ${version} is not what this database was made with`)
  })
  migrations.slice(applied.length).forEach((statements, index) => {
    sql.exec(statements)
    sql.exec('INSERT INTO migrations (version, statements) VALUES (?, ?)', applied.length + index, statements)
  })
}
