/**
 * Access to records whose keys are names that users choose. A lane may be called `constructor`, a property that every
 * plain object inherits. So only the record's own properties count. (Assigning `__proto__` would store nothing; the
 * patterns of the settings forbid that name.)
 */

export function own<Value>(
  record: Readonly<Record<string, Value>> | null | undefined,
  name: string,
): Value | undefined {
  return record && Object.hasOwn(record, name) ? record[name] : undefined
}

/** Returns the record's own entry, and creates it if there is none. */
export function ownOr<Value>(record: Record<string, Value>, name: string, make: () => Value): Value {
  const known = own(record, name)
  if (known !== undefined) return known
  const made = make()
  record[name] = made
  return made
}
