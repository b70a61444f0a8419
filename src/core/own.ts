/**
 * Records by names that users choose. A lane may be called `constructor`, which every plain object seems to have: what is not the
 * record's own is not there. (That no name is `__proto__`, which assigning would not store, the patterns of the settings see to.)
 */

export function own<Value>(
  record: Readonly<Record<string, Value>> | null | undefined,
  name: string,
): Value | undefined {
  return record && Object.hasOwn(record, name) ? record[name] : undefined
}

/** The record's own entry, made when there is none. */
export function ownOr<Value>(record: Record<string, Value>, name: string, make: () => Value): Value {
  const known = own(record, name)
  if (known !== undefined) return known
  const made = make()
  record[name] = made
  return made
}
