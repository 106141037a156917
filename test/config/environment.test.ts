import { describe, expect, it } from 'vitest'
import { load, WAYBILL } from './folder.ts'

describe('the environment', () => {
  const xmpp = (more: string) =>
    `xmpp: { domain: w.example.org, host: example.org, ${more} }\nsenders: ["*@example.org"]`

  it('fills in places, several in one value, with an escape', async () => {
    const { configuration } = await load(
      { 'waybill.yaml': xmpp(`secret: "a\${ONE}b\${TWO_2}$\${ONE}"`) },
      { ONE: '1', TWO_2: '2' },
    )
    expect(configuration?.settings.xmpp.secret).toBe(`a1b2\${ONE}`)
  })

  it('fills in what is not filled in again', async () => {
    const { configuration } = await load({ 'waybill.yaml': xmpp(`secret: "\${ONE}"`) }, { ONE: `\${TWO}`, TWO: 'x' })
    expect(configuration?.settings.xmpp.secret).toBe(`\${TWO}`)
  })

  it('gives text where text is needed, and a number or truth where such is needed', async () => {
    const filled = xmpp(`secret: "\${DIGITS}", insecure: "\${YES}"`)
    const text = `${filled}\nlimits: { depth: "\${DIGITS}" }`
    const { configuration, problems } = await load({ 'waybill.yaml': text }, { DIGITS: '32', YES: 'true' })
    expect(problems).toEqual([])
    expect(configuration?.settings).toMatchObject({ xmpp: { secret: '32', insecure: true }, limits: { depth: 32 } })
  })

  it('tells of text that is no number by the place, not by the value', async () => {
    const { problems } = await load(
      { 'waybill.yaml': `${WAYBILL}limits: { depth: "\${DEPTH}" }` },
      { DEPTH: 'deep-secret' },
    )
    expect(problems).toMatchObject([{ code: 'wrong-type', line: 4, column: 18 }])
    expect(problems[0]?.message).toBe(`limits.depth must be a whole number, found string "\${DEPTH}"`)
  })

  it.each([
    ['WAYBILL_XMPP_SERVICE', 'xmpps://xmpp.example.org', { xmpp: { service: 'xmpps://xmpp.example.org:5347' } }],
    ['WAYBILL_XMPP_DOMAIN', 'Other.example.org', { xmpp: { domain: 'other.example.org' } }],
    ['WAYBILL_XMPP_HOST', 'host.example.org', { xmpp: { host: 'host.example.org' } }],
    ['WAYBILL_XMPP_SECRET', 'another', { xmpp: { secret: 'another' } }],
    ['WAYBILL_REDIS_URL', 'redis://127.0.0.1:7000/1', { redis: { url: 'redis://127.0.0.1:7000/1' } }],
    ['WAYBILL_REDIS_USER', 'waybill', { redis: { user: 'waybill' } }],
    ['WAYBILL_REDIS_PASSWORD', 'secret', { redis: { password: 'secret' } }],
    ['WAYBILL_HTTP_LISTEN', '[::1]:0', { http: { listen: { host: '::1', port: 0 } } }],
    ['WAYBILL_HTTP_TOKEN', 'a-token', { http: { token: 'a-token' } }],
  ])('%s overrides the file', async (variable, value, expected) => {
    const { configuration, problems } = await load({ 'waybill.yaml': WAYBILL }, { [variable]: value })
    expect(problems).toEqual([])
    expect(configuration?.settings).toMatchObject(expected)
    const { configuration: same } = await load({ 'waybill.yaml': WAYBILL }, { [variable]: '' })
    expect(same?.settings).not.toMatchObject(expected)
  })

  it('gives what is needed where the file has nothing of it', async () => {
    const variables = {
      WAYBILL_XMPP_DOMAIN: 'w.example.org',
      WAYBILL_XMPP_HOST: 'example.org',
      WAYBILL_XMPP_SECRET: 's',
    }
    const { configuration, problems } = await load({ 'waybill.yaml': '' }, variables)
    expect(problems.map(({ code }) => code)).toEqual(['no-senders'])
    expect(configuration?.settings.xmpp).toMatchObject({ domain: 'w.example.org', host: 'example.org', secret: 's' })
  })

  it('makes the places of an overridden value unimportant', async () => {
    const { configuration, problems } = await load(
      { 'waybill.yaml': xmpp(`secret: "\${NOT_SET}"`) },
      { WAYBILL_XMPP_SECRET: 'given' },
    )
    expect(problems).toEqual([])
    expect(configuration?.settings.xmpp.secret).toBe('given')
  })

  it('gives a number where a number or a word may stand', async () => {
    const route = (option: string) =>
      `{ kind: Route, name: r, when: {}, deliver: [{ pubsub: p.example.org, node: n, create: { ${option} } }] }`
    const files = (option: string) => ({ 'waybill.yaml': WAYBILL, 'routes/r.yaml': route(option) })
    const { configuration } = await load(files(`max_items: "\${N}", persist_items: "\${P}"`), { N: '100', P: 'false' })
    expect(configuration?.routes[0]?.deliver[0]?.create).toEqual({ max_items: 100, persist_items: false })
    const { configuration: most } = await load(files(`max_items: "\${N}"`), { N: 'max' })
    expect(most?.routes[0]?.deliver[0]?.create).toEqual({ max_items: 'max' })
    const { problems } = await load(files(`max_items: "\${N}"`), { N: 'lots' })
    expect(problems).toMatchObject([{ code: 'wrong-value' }])
  })

  it('switches HTTP on again where the file says none', async () => {
    const { configuration } = await load(
      { 'waybill.yaml': `${WAYBILL}http: none` },
      { WAYBILL_HTTP_LISTEN: '127.0.0.1:0' },
    )
    expect(configuration?.settings.http).toEqual({ listen: { host: '127.0.0.1', port: 0 } })
  })

  it('is named where what it gives is wrong', async () => {
    const { problems } = await load({ 'waybill.yaml': WAYBILL }, { WAYBILL_HTTP_LISTEN: 'nonsense' })
    expect(problems).toMatchObject([
      {
        code: 'wrong-value',
        file: 'waybill.yaml',
        message: expect.stringContaining('http.listen (from WAYBILL_HTTP_LISTEN) must be HOST:PORT'),
      },
    ])
  })
})

describe('a secret never stands in a problem', () => {
  const SECRET = 'hunter2-hunter2'
  it.each([
    ['in place of a mapping', `xmpp: ${SECRET}`],
    ['that lost the space behind its colon, in a flow mapping', `xmpp: { secret:${SECRET} }`],
    ['that lost the space behind its colon, in a block mapping', `xmpp:\n  secret:${SECRET}`],
    ['in quotes with something behind them', `xmpp: { secret: "${SECRET}" more, domain: a }`],
    ['in quotes that are not closed', `xmpp: { secret: "${SECRET} }`],
    ['as a list', `xmpp: { secret: [${SECRET}] }`],
    ['in an address', `redis: { url: "http://user:${SECRET}@127.0.0.1" }`],
    ['as a token of the wrong kind', `http: { token: { value: ${SECRET} } }`],
    ['in place of all of http', `http: ${SECRET}`],
    ['as an alias', `xmpp: { secret: *${SECRET} }`],
    ['with a tag', `xmpp: { secret: !x ${SECRET} }`],
    ['with a broken escape', `xmpp: { secret: "\\q${SECRET}" }`],
    ['as the whole file', SECRET],
    [
      'in the environment, where it does not fit',
      `senders: "\${WAYBILL_XMPP_SECRET}"\nredis: { prefix: "\${WAYBILL_XMPP_SECRET}!", durability: "\${WAYBILL_XMPP_SECRET}" }`,
    ],
  ])('%s', async (_, text) => {
    const { configuration, problems } = await load({ 'waybill.yaml': text }, { WAYBILL_XMPP_SECRET: SECRET })
    expect(configuration).toBeUndefined()
    expect(problems.length).toBeGreaterThan(0)
    expect(JSON.stringify(problems)).not.toContain('hunter2')
  })
})
