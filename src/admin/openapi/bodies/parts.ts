/** Parts that several bodies of the admin API share. */
import * as z from 'zod'

export const countOf = (description: string) => z.int().min(0).meta({ description })
export const momentOf = (description: string) => z.int().meta({ description: `${description}: Unix milliseconds` })
export const textOf = (description: string) => z.string().meta({ description })
export const ratioOf = (description: string) => z.number().min(0).max(1).meta({ description })
