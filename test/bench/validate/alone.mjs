import { readFileSync } from 'node:fs'
import { RelaxNGValidator, XmlDocument, XmlValidateError, XsdValidator } from 'libxml2-wasm'
import { xmlRegisterFsInputProviders } from 'libxml2-wasm/lib/nodejs.mjs'

/**
 * libxml2-wasm by itself, by its public classes: a document is parsed from its bytes, validated and freed.
 *
 * @param {'xsd' | 'rng'} language
 * @param {string} file
 * @returns {(bytes: Uint8Array) => boolean} whether it is valid
 */
export function compileAlone(language, file) {
  xmlRegisterFsInputProviders()
  const schema = XmlDocument.fromBuffer(readFileSync(file), { url: file })
  const validator = language === 'xsd' ? XsdValidator.fromDoc(schema) : RelaxNGValidator.fromDoc(schema)
  return (bytes) => {
    const document = XmlDocument.fromBuffer(bytes)
    try {
      validator.validate(document)
      return true
    } catch (error) {
      if (error instanceof XmlValidateError) return false
      throw error
    } finally {
      document.dispose()
    }
  }
}
