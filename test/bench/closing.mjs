/**
 * What was opened is closed in the opposite order, once, however a run ends.
 * @returns {{ add: (close: () => unknown) => void, close: () => Promise<void> }}
 */
export function makeClosing() {
  /** @type {(() => unknown)[]} */
  const open = []
  return {
    add: (close) => open.push(close),
    async close() {
      for (let close = open.pop(); close !== undefined; close = open.pop()) {
        try {
          await close()
        } catch (error) {
          console.error(error)
        }
      }
    },
  }
}
