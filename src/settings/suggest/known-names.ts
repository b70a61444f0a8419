/** The names of settings that a schema has at a path. */
import * as z from 'zod'
import { wrapped } from './wrapped.ts'

/** Returns the names of settings at this path of the schema, or none if there is no object at the path. */
export function namesAt(schema: z.ZodType, path: readonly PropertyKey[]): readonly string[] {
  const names = schemasAt(formsOf(schema), path).flatMap(one =>
    one instanceof z.ZodObject ? Object.keys(one.shape) : [],
  )
  return [...new Set(names)]
}

function schemasAt(schemas: readonly z.ZodType[], path: readonly PropertyKey[]): readonly z.ZodType[] {
  const [step, ...rest] = path
  if (step === undefined) return schemas
  const inside = schemas.flatMap((schema): z.ZodType[] => {
    if (schema instanceof z.ZodArray) return [schema.element as z.ZodType]
    if (schema instanceof z.ZodRecord) return [schema.valueType as z.ZodType]
    if (!(schema instanceof z.ZodObject) || !Object.hasOwn(schema.shape, step)) return []
    return [schema.shape[String(step)] as z.ZodType]
  })
  return schemasAt(inside.flatMap(formsOf), rest)
}

/** Returns the schemas that a value may match, without wrappers such as defaults. */
function formsOf(schema: z.ZodType): readonly z.ZodType[] {
  if (schema instanceof z.ZodPipe) return [schema.def.in, schema.def.out].flatMap(part => formsOf(part as z.ZodType))
  if (schema instanceof z.ZodUnion) return schema.options.flatMap(option => formsOf(option as z.ZodType))
  const inner = wrapped(schema)
  return inner ? formsOf(inner) : [schema]
}
