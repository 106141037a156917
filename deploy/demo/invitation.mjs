/** What to do with a demo that stays up. Every command can be pasted. */

/**
 * @param {import('./site.mjs').Site} site
 * @param {string} http Waybill's own address for health and metrics
 * @param {string} config its configuration folder, as to be typed
 */
export function invitation(site, http, config) {
  const { host, clientService, passwords, waybill, folder } = site
  const at = new URL(clientService)
  const send = (name, file) =>
    `  WAYBILL_PASSWORD='${passwords[name]}' npx waybill send ${config} ${file} --from ${name}@${host} --service ${clientService}`
  const samples = `${config}/samples`
  return `
Join in with any XMPP client (Gajim, Psi, profanity, ...): server ${at.hostname}, port ${at.port || 5222}, no TLS${site.ownXmpp ? ' (this machine only)' : ''}
${Object.entries(passwords)
  .map(([name, password]) => `  ${`${name}@${host}`.padEnd(26)} password ${password}`)
  .join('\n')}
  The operator sees alarms, hot readings and large orders as chat. ${waybill} answers to service discovery.

Send a document:
${send('backend', `${samples}/order-express.xml`)}
${send('backend', `${samples}/order-invalid.xml`)}
${send('sensor', `${samples}/telemetry-hot.json`)}

See what would happen, and why, without sending:
  npx waybill explain ${config} ${samples}/order-large.xml --from backend@${host}

See what was given up (the courier has no account), and send it on its way again:
  npx waybill dead ${config} ls
  npx waybill dead ${config} redrive --all --destination courier@${host} --yes

And more:
  npx waybill check ${config}      every problem of the configuration, with its place
  npx waybill test ${config}       the tests in the route files
  npx waybill ledger ${config}     what became of everything that was accepted
${http === '' ? '' : `  curl ${http}/readyz\n  curl ${http}/metrics\n`}
Routes and types: ${config}/routes, ${config}/types (made anew from deploy/demo/config at each start)
Secrets, the HTTP token among them: ${folder}/settings.json   Logs: ${folder}/logs
Documents that arrive are shown below. Ctrl-C stops everything that was started here.
`
}
