/** Parameters as `/docs` should offer them: it fills in what has an example or a default, and sends it. */
import type { JsonSchema } from './examples.ts'

export interface Parameter {
  required?: boolean
  description?: string
  example?: string | number | boolean
  schema?: JsonSchema
}

export function completeParameters(parameters: readonly Parameter[] = []): void {
  for (const parameter of parameters) {
    // The validator fills it in, so that the handler has it always; a caller need not send it.
    if (parameter.schema?.['default'] !== undefined) parameter.required = false
    if (parameter.required !== true) showInWords(parameter)
  }
}

/** A filter, a version or a key for sending again that is merely an example would change what a first try is answered. */
function showInWords(parameter: Parameter): void {
  if (parameter.example === undefined) return
  const example = `or example \`${String(parameter.example)}\``
  parameter.description = parameter.description === undefined ? `F${example}` : `${parameter.description}; f${example}`
  delete parameter.example
}
