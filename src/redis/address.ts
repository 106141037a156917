/** `HOST:PORT` of one server. */
export interface Place {
  readonly host: string
  readonly port: number
}

/** Where the keys of one shard are, and as whom they are asked for. */
export interface RedisAddress {
  /** `redis://[USER:PASSWORD@]HOST[:PORT][/DATABASE]`, or `rediss:`. Sentinels and a cluster stand in its place. */
  readonly url: string
  /** Installations with different prefixes share a Redis without seeing each other. */
  readonly prefix: string
  /** Left out: that of the first domain. */
  readonly shard?: string
  /** They know the present primary of that name. */
  readonly sentinels?: {
    readonly name: string
    readonly places: readonly Place[]
    readonly user?: string
    readonly password?: string
  }
  /** Some nodes of a Redis Cluster, which know the others. */
  readonly cluster?: readonly Place[]
  /** Instead of what `url` says. */
  readonly user?: string
  readonly password?: string
  /** Files in PEM, read for each connection, so that renewed ones are taken. Left out: TLS where `url` says `rediss:`. */
  readonly tls?: { readonly ca?: string; readonly cert?: string; readonly key?: string; readonly servername?: string }
  /** Plain TCP beyond loopback is allowed. */
  readonly insecure?: boolean
}

export interface Credentials {
  readonly user?: string
  readonly password?: string
}

/** Who we are to the servers that hold data, and the number of the database there. */
export function loginOf(address: RedisAddress): Credentials & { readonly database: number } {
  const { user, password } = address
  const url = isFound(address) ? undefined : new URL(address.url)
  const name = user ?? decoded(url?.username)
  const secret = password ?? decoded(url?.password)
  const database = Number(url?.pathname.slice(1) ?? 0)
  return { ...(name && { user: name }), ...(secret && { password: secret }), database }
}

function decoded(text: string | undefined): string | undefined {
  return text === undefined || text === '' ? undefined : decodeURIComponent(text)
}

export function isSecure(address: RedisAddress): boolean {
  return address.tls !== undefined || (!isFound(address) && new URL(address.url).protocol === 'rediss:')
}

/** Others are asked which server it is. */
export function isFound({ sentinels, cluster }: RedisAddress): boolean {
  return sentinels !== undefined || cluster !== undefined
}

const PORT = 6379

/** The server that `url` names. */
export function placeOf(url: string): Place {
  const { hostname, port } = new URL(url)
  return { host: hostname.replace(/^\[|\]$/g, ''), port: port === '' ? PORT : Number(port) }
}
