import type { AttributeDeclaration, ElementDeclaration, Name, TypeDefinition } from './components.ts'
import type { Defined, Symbols } from './symbols.ts'

/** How components find one another. */
export interface Components {
  readonly symbols: Symbols
  typeNamed(name: Name): TypeDefinition
  /** Undefined where there is none of that name. */
  elementNamed(name: Name): ElementDeclaration | undefined
  attributeNamed(name: Name): AttributeDeclaration | undefined
  /** A declaration that stands within a type. */
  localElement(defined: Defined): ElementDeclaration
  localAttribute(defined: Defined): AttributeDeclaration
}
