import {
  XmlXPathObjectStruct,
  xmlXPathCompiledEval,
  xmlXPathCtxtCompile,
  xmlXPathFreeObject,
  xmlXPathNewContext,
  xmlXPathRegisterNs,
  xmlXPathSetContextNode,
} from 'libxml2-wasm/lib/libxml2.mjs'
import { freeTree, parseTree } from '../../../dist/documents/libxml2.js'
import { xpathOf } from './routes.mjs'

/**
 * libxml2's XPath, one compiled expression a route, on a tree that was parsed before, with the namespaces already bound.
 *
 * @param {readonly import('./routes.mjs').Spec[]} specs
 */
export function compileLibxml2(specs) {
  const expressions = specs.map((spec) => compileBoolean(xpathOf(spec)))
  return (/** @type {Loaded} */ document) => {
    const found = []
    for (let at = 0; at < expressions.length; at += 1) if (holds(document, expressions[at])) found.push(at)
    return found
  }
}

/** @typedef {ReturnType<typeof parseTree>['tree'] & {}} Loaded a tree with its context */

/** @param {string} expression */
export function compileBoolean(expression) {
  const compiled = xmlXPathCtxtCompile(0, `boolean(${expression})`)
  if (compiled === 0) throw new Error(`Cannot compile for libxml2: ${expression}`)
  return compiled
}

/**
 * @param {string} text
 * @param {Readonly<Record<string, string>>} namespaces
 * @returns {Loaded}
 */
export function loadTree(text, namespaces) {
  const { tree } = parseTree(Buffer.from(text))
  if (!tree) throw new Error('Cannot load a document: libxml2 refuses it')
  tree.context = xmlXPathNewContext(tree.document)
  xmlXPathSetContextNode(tree.document, tree.context)
  for (const [prefix, uri] of Object.entries(namespaces)) xmlXPathRegisterNs(tree.context, prefix, uri)
  return tree
}

/** @param {Loaded} tree */
export function unloadTree(tree) {
  freeTree(tree)
}

/**
 * @param {Loaded} tree
 * @param {number} expression
 */
export function holds({ context }, expression) {
  const object = xmlXPathCompiledEval(expression, context)
  if (object === 0) throw new Error('Cannot evaluate: libxml2 failed')
  const held = XmlXPathObjectStruct.boolval(object) !== 0
  xmlXPathFreeObject(object)
  return held
}
