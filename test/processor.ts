/** What this process has used of the processor, in milliseconds: whatever else the machine does is no part of it. */
export function processorMs(): number {
  const { user, system } = process.cpuUsage()
  return (user + system) / 1_000
}
