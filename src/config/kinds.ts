/* Made from schemas/*.schema.json by npm run generate: change those. */

/**
 * The installation: `waybill.yaml` in the configuration folder. There is exactly one.
 */
export interface Waybill {
  /**
   * May be left out: the file's name says it.
   */
  kind: 'Waybill'
  /**
   * The server that Waybill attaches to as a component (XEP-0114).
   */
  xmpp: {
    /**
     * `xmpp://HOST:PORT`, or `xmpps://HOST:PORT` for direct TLS. Without a port 5347. Plain `xmpp:` beyond loopback needs `insecure: true`.
     */
    service: string
    /**
     * The JID under which Waybill is reached: a domain, as the server's component entry names it.
     */
    domain: string
    /**
     * Further names under which Waybill is reached, each a component entry of the same server with the same secret. Each is served on its own, by one process at a time, so that processes and servers work side by side ([operations](operations.md#several-domains)).
     *
     * Items: A domain, as the server's component entry names it.
     */
    domains: string[]
    /**
     * The server's own domain: it is pinged for the proof that a stanza was handed over.
     */
    host: string
    /**
     * The secret of the server's component entry. Never shown in messages.
     */
    secret: string
    /**
     * Bytes of one stanza, in and out. Not more than the server takes from a component: a larger one makes it close the stream.
     */
    maxStanzaBytes: number
    /**
     * Allows `xmpp:` to another machine. The secret's digest and all documents then cross the network in clear.
     */
    insecure: boolean
  }
  /**
   * Where documents, deliveries and the ledger live.
   */
  redis: {
    /**
     * `redis://[USER:PASSWORD@]HOST[:PORT][/DATABASE]`, or `rediss:` for TLS. Plain `redis:` beyond loopback needs `insecure: true`. Never shown in messages.
     */
    url: string
    /**
     * Several installations share one Redis when each has its own.
     */
    prefix: string
    /**
     * What "accepted" means: `fsync`: on disk (`appendfsync always`, or WAITAOF from Redis 7.2); `everysec`: nothing is lost when Waybill is killed, up to two seconds when Redis is killed or the power fails; `memory`: nothing is promised. Waybill doesn't start where Redis offers less.
     */
    durability: 'memory' | 'everysec' | 'fsync'
    /**
     * How many replicas must have a document before it counts as accepted.
     */
    replicas: number
    /**
     * Name of the ACL user, instead of one in `url`; left out, and without one there, the user `default`. `deploy/redis-users.acl` has one with the rights that Waybill needs, and no others.
     */
    user?: string
    /**
     * Of the user, instead of one in `url`. Never shown in messages.
     */
    password?: string
    /**
     * Redis Sentinel, instead of `url`: it is asked before each connection which server is the primary ([operations](operations.md#several-redis-servers)).
     */
    sentinels?: {
      /**
       * As `sentinel monitor` has it.
       */
      name: string
      /**
       * Of the sentinels, asked in this order.
       *
       * @minItems 1
       *
       * Items: `HOST:PORT`; an IPv6 address stands in brackets.
       */
      addresses: string[]
      /**
       * Name of the ACL user of the sentinels, which have users of their own.
       */
      user?: string
      /**
       * For the sentinels. Never shown in messages.
       */
      password?: string
    }
    /**
     * Some nodes of a Redis Cluster, instead of `url`: they know the others. All keys of a domain are in one slot ([operations](operations.md#several-redis-servers)).
     *
     * @minItems 1
     *
     * Items: `HOST:PORT`; an IPv6 address stands in brackets.
     */
    cluster?: string[]
    /**
     * TLS to every server and sentinel; `{}` asks for certificates that the system trusts, as `rediss:` in `url` does. The files are read for each connection, so that renewed ones are taken.
     */
    tls?: {
      /**
       * File in PEM with the certificates that are trusted, instead of the system's. Relative to the configuration folder.
       */
      ca?: string
      /**
       * File in PEM with our own, where the servers ask for one (`tls-auth-clients`).
       */
      cert?: string
      /**
       * File in PEM with the key of `cert`.
       */
      key?: string
      /**
       * The name that the servers' certificates must have, where it is not the host of the address.
       */
      servername?: string
    }
    /**
     * Allows connections without TLS to another machine. The password and all documents then cross the network in clear.
     */
    insecure: boolean
  }
  /**
   * Health and metrics, and with a `token` the [registry of schemas](schemas.md#over-http); `none` switches it off. Everything else that operators do is done on the command line.
   */
  http:
    | {
        /**
         * `HOST:PORT`; an IPv6 address stands in brackets. Port 0 takes any free one, told in the `ready` line.
         */
        listen: string
        /**
         * Bearer token of the operators, for the [registry of schemas](schemas.md#over-http). Without one HTTP serves health and metrics only, which everybody has who reaches it. Never shown in messages.
         */
        token?: string
      }
    | string
  /**
   * Bare JIDs, compared exactly, not patterns: who may see destinations and routes over XMPP, by default nobody.
   *
   * Items: A bare JID.
   */
  admins: string[]
  /**
   * JID patterns of those who may send at all; nobody by default. A document type's own `senders` narrow it further.
   *
   * Items: A JID pattern: `*` matches within one part only.
   */
  senders: string[]
  /**
   * What is refused before anything costly is done with it.
   */
  limits: {
    /**
     * Bytes of one document. Sealed it grows by a third, and must still fit `xmpp.maxStanzaBytes`.
     */
    documentBytes: number
    /**
     * Levels of nested elements, objects or lists.
     */
    depth: number
    /**
     * Attributes of one element, namespace declarations included.
     */
    attributes: number
    /**
     * Documents that may wait in all; beyond that senders are told to wait (`overloaded`).
     */
    waiting: number
    /**
     * What the documents that wait may come to, in bytes; from there on senders are told to wait (`overloaded`). The one that reaches it is taken still.
     */
    waitingBytes: number
    /**
     * Invalid documents that may be held in all (`onInvalid: quarantine`); beyond that senders of such are told to wait (`overloaded`).
     */
    held: number
    /**
     * What the documents that are held may come to, in bytes; from there on senders of such are told to wait (`overloaded`). The one that reaches it is taken still.
     */
    heldBytes: number
    /**
     * Counted for a bare JID.
     */
    perSender: {
      /**
       * So many at once, and then so many a minute, evenly: a bucket of this size that fills within a minute. Whoever has sent nothing for a minute gets up to twice as many through in the next one. What is more is answered with `overloaded` and when to try again, before validation; the items of one publish count as one at first, and the others make what comes next wait the longer.
       */
      perMinute: number
      /**
       * Documents of one sender that may wait.
       */
      waiting: number
      /**
       * Invalid documents of one sender that may be held.
       */
      held: number
    }
  }
  /**
   * A stanza that comes again with the same sender, id and digest is acknowledged again, and not routed again.
   */
  dedupe: {
    /**
     * How long a stanza id is remembered.
     */
    window: string
  }
  /**
   * Nodes whose items are taken in as documents. Waybill subscribes to them as its own bare JID, and reads what it missed from the node whenever it comes online. What is read is the newest 1,000 items. Changes with a restart.
   *
   * Items: One node of one PubSub service.
   */
  subscriptions: {
    /**
     * JID of the PubSub service.
     */
    pubsub: string
    /**
     * Name of the node.
     */
    node: string
    /**
     * Who counts as the sender of an item, for `senders`, routes and limits: `service`: the service itself; `publisher`: the JID in the item's `publisher` attribute, which the service writes, or the service itself where it writes none (ejabberd 23.01; Prosody without `expose_publisher = true`).
     */
    from: 'publisher' | 'service'
  }[]
  /**
   * Readable messages to people: one per cause in five minutes.
   */
  alarms: {
    /**
     * JIDs that are told. An alarm is a log line and a metric as well, whoever is named here.
     *
     * Items: A JID.
     */
    to: string[]
  }
  /**
   * How documents are validated that would keep others waiting: those of types with Schematron, and those of more than 64 KB that aren't plain ([operations](operations.md#heavy-documents)).
   */
  checking: {
    /**
     * So many threads validate them, each one document at a time, with schemas of its own in memory. 0: none, and everything waits for everything. Left out: one less than there are processors, and at least one.
     */
    threads?: number
  }
  /**
   * What has the folder loaded again while Waybill runs: `watch`, changes of its files and SIGHUP; `signal`, SIGHUP alone. A set with errors is refused whole, and the one in force stays. Changes with a restart.
   */
  reload: 'watch' | 'signal'
  /**
   * How long what has ended is kept. The first limit that is reached counts.
   */
  retention: {
    /**
     * Older ones are removed for good.
     */
    dead: string
    /**
     * The oldest beyond this count are removed for good.
     */
    deadCount: number
    /**
     * What documents that are dead may come to, in bytes. The oldest beyond are removed for good.
     */
    deadBytes: number
    /**
     * How long an invalid document is held (`onInvalid: quarantine`). One that nobody has released or refused by then is dropped, with the reason `retention`, and its sender is told where a report was asked for.
     */
    held: string
    /**
     * How long `trace` finds what was delivered, expired or dropped. Not less than `bounceWindow`.
     */
    finished: string
    /**
     * The oldest beyond this count are removed; a bounce of theirs can reopen nothing any more.
     */
    finishedCount: number
    /**
     * What the payloads of finished documents may come to, in bytes, while a bounce may bring a delivery back; without one they go at once. The oldest beyond are removed; a bounce of theirs can reopen nothing any more.
     */
    finishedBytes: number
  }
  /**
   * Accepted documents are kept beside what becomes of them, compressed, in Redis; left out, they are not ([operations](operations.md#archive)). The first limit that is reached counts, and the oldest go. Changes with a restart.
   */
  archive?: {
    /**
     * For how long.
     */
    keep: string
    /**
     * How many.
     */
    count: number
    /**
     * What they may come to, compressed, with what is known of each, in bytes.
     */
    bytes: number
    /**
     * Names of the document types that are kept; none: all of them.
     *
     * Items: Name of a document type.
     */
    types: string[]
  }
  /**
   * A message that comes back within this time reopens its delivery and corrects the ledger.
   */
  bounceWindow: string
  /**
   * Files, and folders with all `.yaml` and `.yml` files below them, in which document types, routes and policies stand. Relative to this file and within its folder; names that begin with a dot are passed over. Default: those of `types/`, `routes/` and `policies/` that exist.
   *
   * Items: A path relative to the configuration folder.
   */
  load?: string[]
}

/**
 * How a document is recognised, which schema it must satisfy, which fields are read from it, who may send it.
 */
export interface DocumentType {
  /**
   * Says what this is.
   */
  kind: 'DocumentType'
  /**
   * Stands in acknowledgements, metrics and routes. Unique among document types, together with `version`; `opaque` is taken.
   */
  name: string
  /**
   * For types of which several versions are in use: each stands under the same `name` with a `version` of its own, and its own schema. See [versions](schemas.md#versions).
   */
  version?: string
  /**
   * What senders of this version are told with every document: until when it is taken, and what to use instead. Their documents are accepted.
   */
  deprecated?: string
  /**
   * What the next version must keep that is registered at run time: `backward`, it accepts what the version before accepts; `forward`, the version before accepts what it accepts; `full`, both; with `-transitive` towards all versions before. What isn't proven is refused. See [compatibility](schemas.md#compatibility).
   */
  compatibility:
    'none' | 'backward' | 'backward-transitive' | 'forward' | 'forward-transitive' | 'full' | 'full-transitive'
  /**
   * Name of the family, or names of several, that the type belongs to: a route on a family takes all of its types. A family may be named like a type, which is then the general one: what is of both is of the type within the family.
   *
   * @minItems 1
   */
  family?: string | string[]
  /**
   * How a document is recognised: by exactly one of `xml`, `json` and `mediaType`. Two types that both match one document are an error.
   */
  identify: {
    /**
     * By the root element, and by what must be true besides.
     */
    xml?: {
      /**
       * Expanded name of the root element: `{namespace}name`, or `name` without a namespace.
       */
      root: string
      /**
       * Where the root is a SOAP envelope (XEP-0072): expanded name of the first element in its body.
       */
      body?: string
      /**
       * XPath 1.0 to the text that must stand there, or to a list of which one must, with the prefixes of `namespaces`; space around it doesn't count. All of them must. `check` can tell types apart by them, other than by `where`.
       */
      match?: {
        /**
         * The text that must stand there, or several.
         *
         * @minItems 1
         */
        [k: string]: string | string[]
      }
      /**
       * XPath 1.0 that must be true as well, with the prefixes of `namespaces`: for types that share a root.
       */
      where?: string
    }
    /**
     * By the datatype of XEP-0432, by values in the document, or both.
     */
    json?: {
      /**
       * The `datatype` of XEP-0432.
       */
      datatype?: string
      /**
       * JSON Pointer to the value that must stand there; all of them must.
       */
      match?: {
        /**
         * The value that must stand there.
         */
        [k: string]: string | number | boolean | null
      }
    }
    /**
     * Opaque content by its media type, without parameters. It is never looked into.
     */
    mediaType?: string
  }
  /**
   * Prefix to namespace name, for every XPath of the type and of the routes on it.
   */
  namespaces: {
    /**
     * As it stands in the documents, to the letter.
     */
    [k: string]: string
  }
  /**
   * What documents must satisfy, in layers: `xsd` or `rng` first, then `json`, then `schematron`; a layer is asked where those before it found no error. One of them at least. `none` says that there is none and every recognised document is valid; leaving it out is an error.
   */
  schema:
    | {
        /**
         * Path of the first file: looked up beside this YAML file, then in `schemas/`, then in the configuration folder. What it imports stays within the first folder of the path. Not together with `rng`.
         */
        xsd?:
          | string
          | {
              /**
               * Path of the first file.
               */
              file: string
              /**
               * What the layer's errors mean: `reject`, `quarantine` and `mark` as for the type, whose `onInvalid` counts where this is left out; `warn`, they are warnings, and the document goes on: `waybill explain` and `<trace/>` tell them, a rejection by a later layer does, and `<accepted/>` doesn't.
               */
              onInvalid?: 'reject' | 'quarantine' | 'mark' | 'warn'
            }
        /**
         * Path of the first file, in XML syntax, or in compact syntax where its name ends in `.rnc`; looked up as for `xsd`. Not together with `xsd`.
         */
        rng?:
          | string
          | {
              /**
               * Path of the first file.
               */
              file: string
              /**
               * What the layer's errors mean: `reject`, `quarantine` and `mark` as for the type, whose `onInvalid` counts where this is left out; `warn`, they are warnings, and the document goes on: `waybill explain` and `<trace/>` tell them, a rejection by a later layer does, and `<accepted/>` doesn't.
               */
              onInvalid?: 'reject' | 'quarantine' | 'mark' | 'warn'
            }
        /**
         * Path of the first file: 2020-12, 2019-09 or draft-07 by its `$schema`; looked up as for `xsd`. XML is checked by it as JSON, in the [projection](operations.md#xml-as-json).
         */
        json?:
          | string
          | {
              /**
               * Path of the first file.
               */
              file: string
              /**
               * What the layer's errors mean: `reject`, `quarantine` and `mark` as for the type, whose `onInvalid` counts where this is left out; `warn`, they are warnings, and the document goes on: `waybill explain` and `<trace/>` tell them, a rejection by a later layer does, and `<accepted/>` doesn't.
               */
              onInvalid?: 'reject' | 'quarantine' | 'mark' | 'warn'
            }
        /**
         * Rules of ISO Schematron for XML, one file or several in turn; looked up as for `xsd`. XPath 1.0, 2.0 and 3.1 by their `queryBinding`; no functions of XSLT but `current()`.
         *
         * @minItems 1
         */
        schematron?:
          | string
          | (
              | string
              | {
                  /**
                   * Path of the first file.
                   */
                  file: string
                  /**
                   * Which patterns are asked: the id of a phase, `#ALL`, or `#DEFAULT` for what the rules name themselves, which is all where they name none.
                   */
                  phase: string
                  /**
                   * What the layer's errors mean: `reject`, `quarantine` and `mark` as for the type, whose `onInvalid` counts where this is left out; `warn`, they are warnings, and the document goes on: `waybill explain` and `<trace/>` tell them, a rejection by a later layer does, and `<accepted/>` doesn't.
                   */
                  onInvalid?: 'reject' | 'quarantine' | 'mark' | 'warn'
                }
            )[]
      }
    | string
  /**
   * Path of a document for example, which senders may read: looked up beside this YAML file, then in the configuration folder; of a bundle, within it. It must be a valid document of this very type and version.
   */
  sample?: string
  /**
   * JID patterns and [groups of senders](#sendergroup) that narrow the installation's own `senders` for this type. Left out: those alone count.
   *
   * Items: A JID pattern, or a mapping with the `group` that has them.
   */
  senders?: (
    | string
    | {
        /**
         * Name of a `SenderGroup`.
         */
        group: string
      }
  )[]
  /**
   * Named values that routes match on, each read by `xpath` from XML, or by `pointer` or `jsonpath` from JSON. Names are up to 64 letters, digits, `_` or `-`, not beginning with a digit or `-`; `sender` and `none` are taken.
   */
  fields: {
    /**
     * Where a field is read from: exactly one of `xpath`, `pointer` and `jsonpath`.
     */
    [k: string]: {
      /**
       * XPath 1.0 over an XML document, with the prefixes of `namespaces`. Several nodes give several values.
       */
      xpath?: string
      /**
       * RFC 6901, over a JSON document.
       */
      pointer?: string
      /**
       * RFC 9535, over a JSON document. Several nodes give several values. The pattern of `match` and `search` stands in the query.
       */
      jsonpath?: string
      /**
       * What the text is taken as. Left out: XML gives strings, JSON gives what stands there.
       */
      as?: 'string' | 'number' | 'boolean'
    }
  }
  /**
   * Name of the field that identifies the document: from the same sender, the same key with another content is refused as `key-conflict`, and with the same content a duplicate, for as long as `dedupe.window`.
   */
  key?: string
  /**
   * What becomes of a document that breaks its schema: `reject`, its sender is told what is wrong with it; `quarantine`, it is accepted and held with its findings until it is released or refused ([operations](operations.md#invalid-documents)); `mark`, it is routed, to routes that ask for invalid documents alone (`takes: invalid`).
   */
  onInvalid: 'reject' | 'quarantine' | 'mark'
  /**
   * Demands on signed documents. Not available in this version: giving it is an error.
   */
  signature?: {
    [k: string]: unknown
  }
}

/**
 * One condition, or a list of which one must hold.
 *
 * This interface was referenced by `Route`'s JSON-Schema
 * via the `definition` "conditions".
 */
export type Conditions = Condition | Condition[]
/**
 * A literal, which the value must equal; or a mapping with one of `prefix`, `suffix`, `contains`, `exists`, `not`, or with bounds that must all hold.
 *
 * This interface was referenced by `Route`'s JSON-Schema
 * via the `definition` "condition".
 */
export type Condition =
  | string
  | number
  | boolean
  | null
  | {
      /**
       * The value begins with this text.
       */
      prefix?: string
      /**
       * The value ends with this text.
       */
      suffix?: string
      /**
       * The value contains this text.
       */
      contains?: string
      /**
       * The number is less.
       */
      '<'?: number
      /**
       * The number is less or equal.
       */
      '<='?: number
      /**
       * The number is greater.
       */
      '>'?: number
      /**
       * The number is greater or equal.
       */
      '>='?: number
      /**
       * `true`: there is a value; `false`: there is none.
       */
      exists?: boolean
      not?: Conditions
    }

/**
 * Conditions and the destinations that follow from them. What a match means is specified in [routes.md](routes.md).
 */
export interface Route {
  /**
   * Says what this is.
   */
  kind: 'Route'
  /**
   * Stands in `<via/>`, the ledger and dead letters. Unique among routes; routes of equal priority go by name.
   */
  name: string
  /**
   * Who answers for the route, for people.
   */
  owner?: string
  /**
   * Routes of a larger priority are asked first, and their deliveries are more urgent.
   */
  priority: number
  /**
   * When this route matches, routes after it aren't asked.
   */
  stop: boolean
  /**
   * Which documents it is asked for: `valid` ones, `invalid` ones, which have been found so and go on because of `onInvalid: mark`, or `both`.
   */
  takes: 'valid' | 'invalid' | 'both'
  /**
   * Matches only where no route without `otherwise` did; its own `when` must hold too.
   */
  otherwise: boolean
  when: Group
  /**
   * Where a document goes that matches: nodes (`pubsub` and `node`), JIDs (`jid`) and groups of them (`group`).
   *
   * @minItems 1
   */
  deliver: Destination[]
  /**
   * Documents of one key reach one destination in the order in which they were accepted.
   */
  order: {
    /**
     * `sender`, the name of a field, or `none`.
     */
    by: string
  }
  /**
   * A delivery that is not done this long after the document was received ends as expired. Left out: never.
   */
  expires?: string
  /**
   * What must happen to sample documents: `waybill test` runs them, without servers.
   *
   * Items: One document and where this route delivers it.
   */
  tests: {
    /**
     * Path of the sample: looked up beside this YAML file, then in the configuration folder.
     */
    document: string
    /**
     * What the sample is sent as, without parameters. Left out, the file's ending tells, or what the document begins with: of opaque content neither does.
     */
    mediaType?: string
    /**
     * JID that sends it.
     */
    from: string
    /**
     * All destinations that follow from this route, as `xmpp:SERVICE?;node=NODE` or JID; empty where the route must not match.
     *
     * Items: `xmpp:SERVICE?;node=NODE`, or a JID.
     */
    delivers: string[]
    /**
     * The condition that must be the first to fail: `type`, `from`, `to`, `node`, `stanza`, `mediaType`, `xpath`, `any`, `not`, or the name of a field or header.
     */
    because?: string
  }[]
}
/**
 * Conditions that must all hold.
 *
 * This interface was referenced by `Route`'s JSON-Schema
 * via the `definition` "group".
 */
export interface Group {
  /**
   * One name or several, of types or of families of types; `opaque` for opaque content that no type claims.
   *
   * @minItems 1
   */
  type?: string | string[]
  /**
   * Version of the document's type: one (`2.1`), bounds that must all hold (`>=2.0 <3`), or `newest` for the newest that isn't deprecated, of each type; several are an OR. See [versions](schemas.md#versions).
   *
   * @minItems 1
   */
  version?: string | string[]
  /**
   * JID patterns, of which one must match the sender.
   *
   * @minItems 1
   */
  from?: string | string[]
  /**
   * JID patterns, of which one must match the JID that the stanza was sent to.
   *
   * @minItems 1
   */
  to?: string | string[]
  node?: Conditions
  /**
   * The way the document came, one or several.
   *
   * @minItems 1
   */
  stanza?: string | ('iq' | 'message' | 'publish' | 'event')[]
  mediaType?: Conditions
  /**
   * Conditions on the headers of XEP-0131, by name.
   */
  headers?: {
    [k: string]: Conditions
  }
  /**
   * Conditions on fields, by name: a list is OR, keys are AND.
   */
  fields?: {
    [k: string]: Conditions
  }
  /**
   * XPath 1.0 over the document, taken as a boolean, with the prefixes of the route's types and of `namespaces`.
   */
  xpath?: string
  /**
   * Further prefixes for `xpath`, here and in the groups below. A prefix that a type or an outer group binds otherwise is an error.
   */
  namespaces: {
    /**
     * As it stands in the documents, to the letter.
     */
    [k: string]: string
  }
  /**
   * Groups of conditions that must all hold: for more than one condition on the same thing.
   *
   * @minItems 1
   */
  all?: Group[]
  /**
   * Groups of conditions, of which at least one must hold.
   *
   * @minItems 1
   */
  any?: Group[]
  /**
   * A group of conditions that must not hold, or a list of groups of which none may.
   */
  not?: Group | Group[]
}
/**
 * Either `pubsub` with `node`, or `jid`, or the `group` that has its own.
 *
 * This interface was referenced by `Route`'s JSON-Schema
 * via the `definition` "destination".
 */
export interface Destination {
  /**
   * JID of the service.
   */
  pubsub?: string
  /**
   * Name of the node, with `{field}` places that the document's fields fill in, percent-encoded.
   */
  node?: string
  /**
   * The receiver, with `{field}` places in localpart and resource; values are escaped by XEP-0106.
   */
  jid?: string
  /**
   * Name of a `DestinationGroup`: all of its destinations, with their own options.
   */
  group?: string
  /**
   * Regular expression that the filled-in node or JID must match from end to end. Needed where there is a place: a document can't choose an arbitrary address.
   */
  allow?: string
  /**
   * Node configuration with which a missing node is created, `pubsub#` left out: the options of XEP-0060 16.4.4 and of its earlier versions, and those that a service has of its own. Left out: a missing node is never created.
   */
  create?: Record<string, string | number | boolean>
  /**
   * For JIDs: `none`: the server has it; `receipt`: a receipt of XEP-0184 came back; `iq`: sent as an iq and answered. A node's result is always awaited.
   */
  confirm?: 'none' | 'receipt' | 'iq'
  /**
   * How long a result or a receipt may take.
   */
  confirmTimeout: string
  /**
   * Name of a policy.
   */
  retry: string
  /**
   * `element`: as a child element; `sealed`: byte for byte (XEP-0231). Left out: as it came in.
   */
  as?: 'element' | 'sealed'
  /**
   * Body of the message, with `{field}` places. For JIDs only, not with `confirm: iq`.
   */
  body?: string
  /**
   * How many nodes one document may reach where a field has several values.
   */
  maxNodes: number
}

/**
 * Destinations that routes name together: `deliver: [{ group: NAME }]`.
 */
export interface DestinationGroup {
  /**
   * Says what this is.
   */
  kind: 'DestinationGroup'
  /**
   * What routes name with `group`. Unique among groups of destinations.
   */
  name: string
  /**
   * The destinations, as in a route.
   *
   * @minItems 1
   */
  deliver: DestinationOfAGroup[]
}
/**
 * Either `pubsub` with `node`, or `jid`.
 *
 * This interface was referenced by `DestinationGroup`'s JSON-Schema
 * via the `definition` "destination".
 */
export interface DestinationOfAGroup {
  /**
   * JID of the service.
   */
  pubsub?: string
  /**
   * Name of the node, with `{field}` places that the document's fields fill in, percent-encoded.
   */
  node?: string
  /**
   * The receiver, with `{field}` places in localpart and resource; values are escaped by XEP-0106.
   */
  jid?: string
  /**
   * Regular expression that the filled-in node or JID must match from end to end. Needed where there is a place: a document can't choose an arbitrary address.
   */
  allow?: string
  /**
   * Node configuration with which a missing node is created, `pubsub#` left out: the options of XEP-0060 16.4.4 and of its earlier versions, and those that a service has of its own. Left out: a missing node is never created.
   */
  create?: Record<string, string | number | boolean>
  /**
   * For JIDs: `none`: the server has it; `receipt`: a receipt of XEP-0184 came back; `iq`: sent as an iq and answered. A node's result is always awaited.
   */
  confirm?: 'none' | 'receipt' | 'iq'
  /**
   * How long a result or a receipt may take.
   */
  confirmTimeout: string
  /**
   * Name of a policy.
   */
  retry: string
  /**
   * `element`: as a child element; `sealed`: byte for byte (XEP-0231). Left out: as it came in.
   */
  as?: 'element' | 'sealed'
  /**
   * Body of the message, with `{field}` places. For JIDs only, not with `confirm: iq`.
   */
  body?: string
  /**
   * How many nodes one document may reach where a field has several values.
   */
  maxNodes: number
}

/**
 * Senders that document types name together: `senders: [{ group: NAME }]`.
 */
export interface SenderGroup {
  /**
   * Says what this is.
   */
  kind: 'SenderGroup'
  /**
   * What types name with `group`. Unique among groups of senders.
   */
  name: string
  /**
   * JID patterns. An empty list is nobody.
   *
   * Items: A JID pattern: `*` matches within one part only.
   */
  senders: string[]
}

/**
 * A retry policy: how often, how long and after which answers a delivery is tried again. One named `default` takes the place of the built-in one.
 */
export interface Policy {
  /**
   * Says what this is.
   */
  kind: 'Policy'
  /**
   * What destinations name with `retry`. Unique among policies.
   */
  name: string
  /**
   * The count of tries, the first one included. Tries that end with the loss of the connection aren't counted.
   */
  deliveries: number
  /**
   * The wait before try n + 1 is `first × factor^(n − 1)`, at most `max`, spread by ± `jitter` of itself.
   */
  backoff: {
    /**
     * The wait after the first try.
     */
    first: string
    /**
     * By how much each wait is longer than the one before.
     */
    factor: number
    /**
     * No wait is longer. Not less than `first`.
     */
    max: string
    /**
     * The part of a wait by which it is made shorter or longer at random: 0 to 1.
     */
    jitter: number
  }
  /**
   * No try is made later than this after the document was accepted.
   */
  giveUpAfter: string
  /**
   * When a destination counts as failing, where it is a delivery of this policy that fails. Nothing goes to an open destination but one probe at a time.
   */
  breaker: {
    /**
     * So many failed attempts in a row, of at least two deliveries where it is more than one, open the destination for all that goes there. 0: these deliveries open none.
     */
    failures: number
    /**
     * From the opening to the first probe; doubled with each probe that fails, spread by ± 20 %.
     */
    first: string
    /**
     * No pause between probes is longer, the spread apart. Not less than `first`.
     */
    max: string
  }
  /**
   * What an answer means, where it differs from the common table; the first row that fits counts.
   *
   * Items: One row.
   */
  answers: {
    /**
     * A condition of RFC 6120 8.3.3 or XEP-0060, or Waybill's own `timeout` and `no-receipt`.
     */
    condition:
      | 'bad-request'
      | 'conflict'
      | 'feature-not-implemented'
      | 'forbidden'
      | 'gone'
      | 'internal-server-error'
      | 'item-not-found'
      | 'jid-malformed'
      | 'not-acceptable'
      | 'not-allowed'
      | 'not-authorized'
      | 'policy-violation'
      | 'recipient-unavailable'
      | 'redirect'
      | 'registration-required'
      | 'remote-server-not-found'
      | 'remote-server-timeout'
      | 'resource-constraint'
      | 'service-unavailable'
      | 'subscription-required'
      | 'undefined-condition'
      | 'unexpected-request'
      | 'closed-node'
      | 'item-forbidden'
      | 'item-required'
      | 'invalid-payload'
      | 'max-items-exceeded'
      | 'max-nodes-exceeded'
      | 'nodeid-required'
      | 'not-in-roster-group'
      | 'payload-required'
      | 'payload-too-big'
      | 'precondition-not-met'
      | 'presence-subscription-required'
      | 'unsupported'
      | 'timeout'
      | 'no-receipt'
    /**
     * Only errors of this type; left out: of any.
     */
    type?: 'auth' | 'cancel' | 'continue' | 'modify' | 'wait'
    /**
     * Only errors whose text matches this regular expression (not anchored); left out: any.
     */
    text?: string
    /**
     * `retry`: try again by the backoff; `dead`: give up; `dead-and-alarm`: give up and tell people.
     */
    then: 'retry' | 'dead' | 'dead-and-alarm'
  }[]
}
