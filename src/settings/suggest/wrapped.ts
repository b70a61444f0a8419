/** The value behind a setting that may be left out. */
import * as z from 'zod'

/** Returns the schema of the value itself, without a default and without null. Returns null for any other schema. */
export function wrapped(schema: z.ZodType): z.ZodType | null {
  const isWrapper =
    schema instanceof z.ZodDefault ||
    schema instanceof z.ZodPrefault ||
    schema instanceof z.ZodNullable ||
    schema instanceof z.ZodOptional
  return isWrapper ? (schema.unwrap() as z.ZodType) : null
}
