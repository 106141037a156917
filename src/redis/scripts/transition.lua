-- What all transitions share. The loader puts this file behind the first line of every script.
--
-- KEYS are keys of the shard, for the Cluster's sake; all others are derived from ARGV[1], what the shard's keys begin with.
-- ARGV[2] is now in milliseconds. A script reads each delivery once, changes it in memory and writes everything at its end
-- with settle(), so that a batch costs few commands.
--
-- envelope:ID  hash  v, meta (JSON), payload, sum (JSON: what its deliveries come to), and for each delivery I:
--                    dI (JSON: the facts), oI (JSON: its options), aI (its attempts, one JSON text a line);
--                    mN, pN: meta (JSON) and payload of a document that deliveries were redriven with, whose facts name its number;
--                    the payloads go as soon as nothing can send them any more, all else with the envelope
--                    rN: deliveries that are still to be written (JSON: what several have in common, and a row for each), the N-th part of
--                    them; `rest` of the sum says which parts there are, and with which number each begins;
--                    held (JSON): what was found wrong with a document that was held, and who released or refused it
-- expanding    zset  envelopes with deliveries that are still to be written, by the time of their acceptance. These wait, count as such, and
--                    have their places in the lanes; who reads one writes it
-- ready        zset  deliveries that may start now, by urgency and due time
-- later        zset  deliveries that may start at their score
-- suspects     zset  deliveries that may start at their score, each with the stream to itself; they are neither ready nor later
-- underway     zset  deliveries of which an attempt was started, by the end of the lease
-- expiring     zset  waiting deliveries that are not under way, by the time when they expire
-- breakers     hash  open destination -> JSON (domain/breaker.ts), or "closing" while what waited for it is let go
-- barred:NAME  zset  deliveries that wait for a destination (SHA-1 of its name), by urgency and due time: while it is open, or since
--                    a try failed; these are in `later` too
-- lapsing      zset  deliveries that wait for an open destination, by the time when it is looked at whether to give them up
-- lane:KEY     zset  waiting deliveries that go one after the other, by their places: the order of acceptance, or of the redrive
--                    that sent them behind all others. Only the first is ready, later, a suspect or under way
-- dead         zset  dead letters by the time of death: delivery ids, and envelope ids where there is no delivery
-- held         zset  documents that are held, by the time of their receipt
-- finished     zset  envelopes with nothing waiting or dead, by the time when that became so
-- reopenable   zset  of these the envelopes that have their payloads still, because a bounce may reopen a delivery, by the time until
--                    which one may
-- reports      zset  envelopes of which the sender is owed a report, by the time of the end that it tells of
-- claim:NAME, key:NAME  "ENVELOPE-ID DIGEST" for as long as the window lasts
-- archive      zset  documents that are kept beside everything else, by the time of their acceptance
-- archive:ID   hash  meta (JSON), payload (deflated); archive:bytes is what all of these come to
-- taken:SOURCE hash  item of a subscribed node -> "ENVELOPE-ID DIGEST"; "- DIGEST" where it was refused, "- own" where we made it
-- items:SOURCE zset  the items in taken:SOURCE, in the order in which they were taken: the newest are kept
-- ledger       hash  counts: "documents STATE", "deliveries STATE", "type STATE NAME", "route STATE NAME"; and "bytes STATE":
--                    what the payloads of all waiting, held, dead and finished documents come to
-- senders      hash  bare JID -> documents waiting
-- holding      hash  bare JID -> documents held
-- sequence     the order of acceptance
-- registry     hash  NAME@VERSION -> JSON (domain/registration.ts) of what was registered at run time
-- registered   stream  every change of the registry, with its number as id: who waits hears of it, who was away reads on
-- registration how many changes there were
-- bundle:DIGEST  the files of a registered version, packed; gone with the last version that has them
-- processes    hash  instance -> until when it lives, by the clock of Redis, and JSON of what it says of itself (announce.lua)
-- served       set of the further domains that were ever served, each with a shard of its own
-- figures      hash  process -> until when it counts by the clock of Redis, and JSON (domain/process-figures.ts)
-- checkers     hash  process -> the same, and by which set of types and files it checks documents for others, and how many
-- checks:for:PROCESS, checks:of:PROCESS  list  documents that it is to check, and what others have found for it
-- lease:NAME   hash  holder, since; expires by the clock of Redis (lease.lua)
local PREFIX, NOW = ARGV[1], tonumber(ARGV[2])
local RECORDS_FIRST, RECORDS_ALL = 5, 25
-- A delivery that was unproven at so many closes of the stream, or under way at so many ends of a process, is a suspect of both.
local SUSPECT_AFTER = 3
local envelopes, ledger, senders, holding = {}, {}, {}, {}
local deliveriesBy, documentsBy = {}, {}
local sets = {
  expanding = {}, ready = {}, later = {}, suspects = {}, underway = {}, expiring = {},
  dead = {}, held = {}, finished = {}, reopenable = {}, reports = {}, lapsing = {},
}
local breakers, areBreakers = {}, nil
-- What this version writes, and all that it reads. What a later one has written is looked at again after a while.
local VERSION, FOREIGN_MS = '1', 60000
local foreign = {}

local function key(name)
  return PREFIX .. name
end

local function add(counts, name, by)
  counts[name] = (counts[name] or 0) + by
end

local function countsOf(counts, state)
  local of = counts[state]
  if not of then
    of = {}
    counts[state] = of
  end
  return of
end

local function put(set, member, score)
  sets[set][member] = score
end

local function take(set, member)
  sets[set][member] = false
end

-- In batches, because unpack() has room for some 8,000 values.
local function inBatches(values, command, name)
  for first = 1, #values, 1000 do
    redis.call(command, key(name), unpack(values, first, math.min(first + 999, #values)))
  end
end

local function isFinished(state)
  return state == 'delivered' or state == 'expired' or state == 'dropped'
end

-- Counted by state first: the names of the ledger are put together once for all that a batch counts.
local function countDelivery(route, state, by)
  add(countsOf(deliveriesBy, state), route, by)
end

local function countDocument(sum, state, by)
  add(countsOf(documentsBy, state), sum.type, by)
  if state == 'waiting' then add(senders, sum.sender, by) end
  if state == 'held' then add(holding, sum.sender, by) end
end

-- What the payloads of a document come to, in the state that keeps them; nothing of what was accepted before they were counted.
local function countBytes(sum, state, by)
  add(ledger, 'bytes ' .. (isFinished(state) and 'finished' or state), by * (sum.bytes or 0))
end

-- A document is in the first that applies (docs/operations.md, guarantee 2).
local function documentState(sum)
  if sum.waiting > 0 then return 'waiting' end
  if sum.held > 0 then return 'held' end
  if sum.dead > 0 then return 'dead' end
  if sum.expired > 0 then return 'expired' end
  if sum.dropped > 0 then return 'dropped' end
  return 'delivered'
end

local function envelopeOf(id)
  local envelope = envelopes[id]
  if not envelope then
    envelope = { id = id, key = key('envelope:' .. id), deliveries = {}, writes = {} }
    envelopes[id] = envelope
  end
  return envelope
end

-- What the deliveries of an envelope come to; nil where there is no such envelope.
local function summary(envelope)
  if envelope.sum == nil then
    local text = envelope.sumText or redis.call('HGET', envelope.key, 'sum')
    envelope.sum = text and cjson.decode(text) or false
  end
  return envelope.sum or nil
end

-- Writes the delivery of that number, where it is still to be written, and gives it; defined below.
local expandOne

-- The delivery of that id, or nil; nil also where a later version has written it, which is in `foreign` then.
local function read(id)
  local envelopeId, index = string.match(id, '^([^.]+)%.(%d+)$')
  if not envelopeId then return nil end
  local envelope = envelopeOf(envelopeId)
  local known = envelope.deliveries[index]
  if known ~= nil then return known or nil end
  local found = redis.call('HMGET', envelope.key, 'd' .. index, 'a' .. index, 'sum', 'v')
  envelope.sumText = found[3]
  if found[1] and found[4] and found[4] ~= VERSION then foreign[id] = found[4] end
  if not found[1] or foreign[id] then
    envelope.deliveries[index] = false
    return not found[1] and expandOne(envelope, index) or nil
  end
  local delivery = { id = id, index = index, envelope = envelope, facts = cjson.decode(found[1]), attempts = found[2] or '' }
  envelope.deliveries[index] = delivery
  return delivery
end

-- Which parts are still to be written; nil where all is.
local function restOf(envelope)
  local sum = summary(envelope)
  return sum and sum.rest
end

-- One of these parts, with a table from number to row.
local function partOf(envelope, at)
  envelope.parts = envelope.parts or {}
  if not envelope.parts[at] then
    local part = cjson.decode(redis.call('HGET', envelope.key, 'r' .. at))
    part.byIndex = {}
    for _, row in ipairs(part.rows) do part.byIndex[string.format('%d', row[1])] = row end
    envelope.parts[at] = part
  end
  return envelope.parts[at]
end

-- Writes one part whose turn it is; gives the deliveries that were still to be written.
local function expandPart(envelope, at)
  local rest, part, expanded = restOf(envelope), partOf(envelope, at), {}
  local fields = {}
  for number, row in ipairs(part.rows) do fields[number] = string.format('d%d', row[1]) end
  local known = redis.call('HMGET', envelope.key, unpack(fields))
  for number, row in ipairs(part.rows) do
    local index = string.format('%d', row[1])
    if not known[number] then expanded[#expanded + 1] = envelope.deliveries[index] or expandOne(envelope, index) end
  end
  envelope.partsGone = envelope.partsGone or {}
  table.insert(envelope.partsGone, 'r' .. at)
  rest.next = at + 1
  if rest.next > #rest.starts then
    summary(envelope).rest = nil
    take('expanding', envelope.id)
  end
  envelope.touched = true
  return expanded
end

-- All deliveries of an envelope, in no particular order.
local function readAll(envelopeId)
  local deliveries = {}
  for _, field in ipairs(redis.call('HKEYS', envelopeOf(envelopeId).key)) do
    local index = string.match(field, '^d(%d+)$')
    if index then deliveries[#deliveries + 1] = read(envelopeId .. '.' .. index) end
  end
  local rest = restOf(envelopeOf(envelopeId))
  for at = rest and rest.next or 1, rest and #rest.starts or 0 do
    for _, delivery in ipairs(expandPart(envelopeOf(envelopeId), at)) do deliveries[#deliveries + 1] = delivery end
  end
  return deliveries
end

-- The deliveries that an operator means: one by its own id, all of a document by the envelope's.
local function named(id)
  if string.find(id, '.', 1, true) then return { read(id) } end
  return readAll(id)
end

local function refreshDocument(envelope)
  local sum = summary(envelope)
  local state = documentState(sum)
  envelope.touched = true
  if state == sum.state then return end
  countDocument(sum, sum.state, -1)
  countDocument(sum, state, 1)
  countBytes(sum, sum.state, -1)
  countBytes(sum, state, 1)
  if isFinished(state) then put('finished', envelope.id, NOW) else take('finished', envelope.id) end
  if sum.reopenable then take('reopenable', envelope.id) end
  envelope.isSpent = isFinished(state)
  sum.state = state
end

-- Of a finished document: nothing sends it any more.
local function removePayloads(envelope)
  local sum = summary(envelope)
  local names = { 'payload' }
  for number = 1, sum.documents or 0 do names[#names + 1] = 'p' .. number end
  redis.call('HDEL', envelope.key, unpack(names))
  countBytes(sum, sum.state, -1)
  sum.bytes = 0
  envelope.touched = true
end

-- A finished document loses its payloads at once, or when no bounce can bring a delivery back any more (prune.lua).
local function spend(envelope)
  local reopenable = summary(envelope).reopenable
  if reopenable and reopenable >= NOW then
    put('reopenable', envelope.id, reopenable)
  else
    removePayloads(envelope)
  end
end

-- Another document than the one that was accepted, for the deliveries whose facts will name the number that it gives.
local function addDocument(envelope, meta, payload)
  local sum = summary(envelope)
  local number = (sum.documents or 0) + 1
  countBytes(sum, sum.state, -1)
  sum.documents, sum.bytes = number, (sum.bytes or 0) + #payload
  countBytes(sum, sum.state, 1)
  envelope.touched = true
  for _, value in ipairs({ 'm' .. number, meta, 'p' .. number, payload }) do envelope.writes[#envelope.writes + 1] = value end
  return number
end

-- The meta of the document that a delivery was redriven with, or ''.
local function documentMeta(delivery)
  local number = delivery.facts.document
  return number and redis.call('HGET', delivery.envelope.key, 'm' .. number) or ''
end

local function move(delivery, state)
  local facts, sum = delivery.facts, summary(delivery.envelope)
  countDelivery(facts.route, facts.state, -1)
  countDelivery(facts.route, state, 1)
  sum[facts.state] = sum[facts.state] - 1
  sum[state] = sum[state] + 1
  facts.state = state
  delivery.touched = true
  refreshDocument(delivery.envelope)
end

-- Urgency first, then due time: 10^13 ms are 300 years, and 201 such steps stay exact in a double.
local function rank(facts)
  return (100 - facts.priority) * 1e13 + facts.due
end

local function isAnyOpen()
  if areBreakers == nil then areBreakers = redis.call('EXISTS', key('breakers')) == 1 end
  return areBreakers
end

-- nil, 'open', or 'closing' while what waited for it is let go.
local function breakerOf(destination)
  if not isAnyOpen() then return nil end
  if breakers[destination] == nil then
    local known = redis.call('HGET', key('breakers'), destination)
    breakers[destination] = known and (known == 'closing' and known or 'open')
  end
  return breakers[destination] or nil
end

-- The name of the set, which is written with the others.
local function barredAt(destination)
  local name = 'barred:' .. redis.sha1hex(destination)
  sets[name] = sets[name] or {}
  return name
end

-- Waits for its destination, which is open: nothing looks at it until that is probed, or it is given up.
local function bar(delivery)
  local id = delivery.id
  take('ready', id)
  take('later', id)
  put(barredAt(delivery.facts.to), id, rank(delivery.facts))
  if not redis.call('ZSCORE', key('lapsing'), id) then put('lapsing', id, NOW) end
end

local function isSuspect(facts)
  return (facts.closes or 0) >= SUSPECT_AFTER or (facts.crashes or 0) >= SUSPECT_AFTER
end

-- Nobody has it any more; but what a later version has written is left to that one.
local function dismiss(set, id)
  if foreign[id] then put(set, id, NOW + FOREIGN_MS) else take(set, id) end
end

local function unschedule(id)
  local delivery = read(id)
  take('ready', id)
  if foreign[id] then return dismiss('later', id) end
  take('later', id)
  take('suspects', id)
  take('underway', id)
  if delivery and (delivery.facts.tries > 0 or breakerOf(delivery.facts.to)) then
    take(barredAt(delivery.facts.to), id)
    take('lapsing', id)
  end
end

-- A suspect goes alone also where its destination is open: once it has been answered, it waits like the others.
local function schedule(delivery)
  local id, facts = delivery.id, delivery.facts
  if isSuspect(facts) then
    unschedule(id)
    put('suspects', id, facts.due)
    return
  end
  take('underway', id)
  take('suspects', id)
  if breakerOf(facts.to) == 'open' and not facts.probe then return bar(delivery) end
  if facts.due <= NOW then
    put('ready', id, rank(facts))
    take('later', id)
    if facts.tries > 0 then take(barredAt(facts.to), id) end
  else
    put('later', id, facts.due)
    take('ready', id)
    if facts.tries > 0 then put(barredAt(facts.to), id, rank(facts)) end
  end
end

local function expectExpiry(delivery)
  if delivery.facts.expires then put('expiring', delivery.id, delivery.facts.expires) end
end

local function laneOf(delivery)
  return delivery.facts.lane and key('lane:' .. delivery.facts.lane)
end

-- Its document's place in the order of acceptance, unless a redrive has given it one of its own.
local function placeOf(delivery)
  return delivery.facts.place or summary(delivery.envelope).sequence
end

local function isHead(delivery)
  local lane = laneOf(delivery)
  return not lane or redis.call('ZRANGE', lane, 0, 0)[1] == delivery.id
end

expandOne = function(envelope, index)
  local rest = restOf(envelope)
  local number, at = tonumber(index), rest and #rest.starts or 0
  while rest and at >= rest.next and rest.starts[at] > number do at = at - 1 end
  if not rest or at < rest.next then return nil end
  local part = partOf(envelope, at)
  local row = part.byIndex[index]
  if not row then return nil end
  local shared, facts = part.shared[row[2] + 1], { to = row[3], lane = row[4] }
  for name, value in pairs(shared.facts) do facts[name] = value end
  local delivery = {
    id = envelope.id .. '.' .. index, index = index, envelope = envelope, facts = facts, attempts = '', touched = true,
    options = shared.options,
  }
  envelope.deliveries[index] = delivery
  envelope.writes[#envelope.writes + 1] = 'o' .. index
  envelope.writes[#envelope.writes + 1] = shared.options
  -- It has its place since the acceptance.
  expectExpiry(delivery)
  if isHead(delivery) then schedule(delivery) end
  return delivery
end

-- A waiting delivery takes its place in the order, and is scheduled where that is the first. One that comes back finds its
-- old place; where the first is under way, it goes behind that one, since two must never be outstanding.
local function join(delivery)
  expectExpiry(delivery)
  local lane = laneOf(delivery)
  if not lane then return schedule(delivery) end
  local place = placeOf(delivery)
  local head = redis.call('ZRANGE', lane, 0, 0, 'WITHSCORES')
  redis.call('ZADD', lane, place, delivery.id)
  if not head[1] then return schedule(delivery) end
  if tonumber(head[2]) < place then return end
  local first = read(head[1])
  if not first or first.facts.holder then
    redis.call('ZADD', lane, place - 0.5, head[1])
  else
    unschedule(head[1])
    schedule(delivery)
  end
end

-- Gives the delivery that is the first of its lane now.
local function scheduleFirst(id)
  local first = read(id)
  if first then schedule(first) else dismiss('later', id) end
  return first
end

-- An ended delivery gives up its place. Gives the one that became first by it.
local function leave(delivery)
  local lane = laneOf(delivery)
  if not lane then return nil end
  local wasFirst = isHead(delivery)
  redis.call('ZREM', lane, delivery.id)
  if not wasFirst then return nil end
  local head = redis.call('ZRANGE', lane, 0, 0)[1]
  if not head then return nil end
  return scheduleFirst(head)
end

-- An attempt is over and the delivery waits again, at its own place: what came back to an earlier one while the attempt was
-- under way goes first now, and is given.
local function resume(delivery)
  local lane = laneOf(delivery)
  if not lane then return schedule(delivery) end
  redis.call('ZADD', lane, placeOf(delivery), delivery.id)
  local head = redis.call('ZRANGE', lane, 0, 0)[1]
  if head == delivery.id then return schedule(delivery) end
  unschedule(delivery.id)
  return scheduleFirst(head)
end

-- Keeps the first five and the last twenty.
local function addRecord(delivery, record)
  delivery.touched = true
  if delivery.attempts == '' then
    delivery.attempts = record
    return
  end
  local _, breaks = string.gsub(delivery.attempts, '\n', '')
  if breaks + 2 <= RECORDS_ALL then
    delivery.attempts = delivery.attempts .. '\n' .. record
    return
  end
  local lines = {}
  for line in string.gmatch(delivery.attempts, '[^\n]+') do lines[#lines + 1] = line end
  table.remove(lines, RECORDS_FIRST + 1)
  lines[#lines + 1] = record
  delivery.attempts = table.concat(lines, '\n')
end

-- Others have taken its place: it has no destination any more (replan.lua).
local function isReplaced(facts)
  return facts.state == 'dropped' and facts.reason == 'matched-again'
end

-- The attempt of that instance and token; of any token where it is ''. Another one may have followed it in the same process.
local function isAttemptOf(facts, instance, token)
  return facts.holder == instance and (token == '' or facts.token == token)
end

local function release(delivery)
  local facts = delivery.facts
  facts.holder, facts.token, facts.started, facts.alone, facts.asked = nil, nil, nil, nil, nil
  delivery.touched = true
end

-- Ends a delivery: delivered, dead, expired or dropped. Gives the one of its lane that became first.
local function finish(delivery, state, reason)
  local was, isUnderWay = delivery.facts.state, delivery.facts.holder ~= nil
  if was == 'waiting' or was == 'delivered' then delivery.envelope.ended = true end
  release(delivery)
  -- A probe that comes back later burns no try either.
  if state ~= 'delivered' then delivery.facts.probe = nil end
  delivery.facts.reason = reason
  delivery.facts.ended = NOW
  move(delivery, state)
  if isUnderWay then
    -- The start of its attempt has taken it from all other sets.
    take('underway', delivery.id)
  else
    unschedule(delivery.id)
    take('expiring', delivery.id)
  end
  if state == 'dead' then
    put('dead', delivery.id, NOW)
  elseif was == 'dead' then
    take('dead', delivery.id)
  end
  return leave(delivery)
end

-- The end that an operator asks for.
local function endAsAsked(delivery, asked)
  if asked.text then addRecord(delivery, cjson.encode({ atMs = NOW, result = asked.reason, text = asked.text })) end
  delivery.facts.by = asked.by
  return finish(delivery, asked.state, asked.reason)
end

-- Waiting again, from now on or later; or at the end that an operator asked for while the attempt was under way. Gives the one
-- of its lane that became first.
local function postpone(delivery, due)
  local asked = delivery.facts.asked
  if asked then return endAsAsked(delivery, asked) end
  release(delivery)
  delivery.facts.probe, delivery.facts.due = nil, due
  expectExpiry(delivery)
  return resume(delivery)
end

-- An attempt that is under way can't be called back: the next of the lane would be outstanding beside it. Gives 'ended', 'asked'
-- where the end comes with the attempt's, unless that is delivered or expired; nil where the delivery has ended otherwise.
local function ask(delivery, asked)
  local facts = delivery.facts
  -- Asked again after a lost reply.
  if facts.state == asked.state and facts.reason == asked.reason and facts.by == asked.by then return 'ended' end
  if facts.state ~= 'waiting' and not (facts.state == 'dead' and asked.state == 'dropped') then return nil end
  if not facts.holder then
    endAsAsked(delivery, asked)
    return 'ended'
  end
  facts.asked = asked
  delivery.touched = true
  return 'asked'
end

local function reopen(delivery, due)
  local facts = delivery.facts
  if facts.probe then facts.tries, facts.probe = math.max(0, facts.tries - 1), nil end
  facts.reason, facts.ended, facts.due = nil, nil, due
  take('dead', delivery.id)
  delivery.envelope.reopened = true
  move(delivery, 'waiting')
  join(delivery)
end

-- The attempt doesn't count: nobody knows how it ended.
local function void(delivery, text)
  local facts = delivery.facts
  addRecord(delivery, cjson.encode({ atMs = facts.started, tookMs = NOW - facts.started, result = 'void', text = text }))
  facts.tries = facts.tries - 1
  postpone(delivery, NOW)
end

-- What became of an item of a subscribed node. The newest KEEP are remembered.
local function remember(source, item, value, keep)
  local items, taken = key('items:' .. source), key('taken:' .. source)
  local newest = redis.call('ZRANGE', items, -1, -1, 'WITHSCORES')
  redis.call('ZADD', items, (tonumber(newest[2]) or 0) + 1, item)
  redis.call('HSET', taken, item, value)
  for _, old in ipairs(redis.call('ZRANGE', items, 0, -(keep + 1))) do
    redis.call('ZREM', items, old)
    redis.call('HDEL', taken, old)
  end
end

-- A new delivery for a document that has been in the store for a while. `place`: in the order, where it is another one than its
-- document's. Waiting, or dead from the beginning with its first record.
local function addDelivery(envelope, number, one, attempts, place)
  local sum, facts, index = summary(envelope), one.facts, string.format('%d', number)
  local delivery = { id = envelope.id .. '.' .. index, index = index, envelope = envelope, facts = facts, attempts = attempts, touched = true }
  if facts.lane then facts.place = place end
  if one.record ~= '' then addRecord(delivery, one.record) end
  envelope.deliveries[index] = delivery
  envelope.writes[#envelope.writes + 1] = 'o' .. index
  envelope.writes[#envelope.writes + 1] = one.options
  sum[facts.state] = sum[facts.state] + 1
  countDelivery(facts.route, 'planned', 1)
  countDelivery(facts.route, facts.state, 1)
  if facts.state == 'dead' then put('dead', delivery.id, NOW) else join(delivery) end
end

-- Held -> dropped.
local function endHeld(envelope, reason, by)
  local sum = summary(envelope)
  sum.reason, sum.by, sum.ended = reason, by, NOW
  sum.held, sum.dropped = 0, 1
  take('held', envelope.id)
  envelope.ended = true
  refreshDocument(envelope)
end

-- Each time when nothing of a document waits any more, its sender is owed a report where one was asked for; while something waits
-- again, none is. `ends` tells the reports of one document apart.
local function oweReport(envelope)
  local sum = envelope.sum
  if not sum or not sum.report or not (envelope.ended or envelope.reopened) then return end
  local arrived = sum.dead + sum.expired + sum.dropped == 0
  local wanted = sum.report == 'all' or (sum.report == 'delivered') == arrived
  if sum.waiting > 0 or sum.held > 0 or not wanted then return take('reports', envelope.id) end
  sum.ends = (sum.ends or 0) + 1
  envelope.touched = true
  put('reports', envelope.id, NOW)
end

local function settleSet(name, members)
  local added, taken = {}, {}
  for member, score in pairs(members) do
    if score then
      added[#added + 1] = score
      added[#added + 1] = member
    else
      taken[#taken + 1] = member
    end
  end
  inBatches(added, 'ZADD', name)
  inBatches(taken, 'ZREM', name)
end

local function settleEnvelope(envelope)
  oweReport(envelope)
  if envelope.isSpent then spend(envelope) end
  local writes = envelope.writes
  for index, delivery in pairs(envelope.deliveries) do
    if delivery and delivery.touched then
      writes[#writes + 1] = 'd' .. index
      writes[#writes + 1] = cjson.encode(delivery.facts)
      if delivery.attempts ~= '' then
        writes[#writes + 1] = 'a' .. index
        writes[#writes + 1] = delivery.attempts
      end
    end
  end
  if envelope.touched then
    writes[#writes + 1] = 'sum'
    writes[#writes + 1] = cjson.encode(envelope.sum)
  end
  inBatches(writes, 'HSET', 'envelope:' .. envelope.id)
  if envelope.partsGone then redis.call('HDEL', envelope.key, unpack(envelope.partsGone)) end
end

-- "KIND STATE" for all, "OWN STATE NAME" for each name.
local function sumUp(kind, own, byState)
  for state, counts in pairs(byState) do
    local all = 0
    for name, by in pairs(counts) do
      all = all + by
      add(ledger, own .. ' ' .. state .. ' ' .. name, by)
    end
    add(ledger, kind .. ' ' .. state, all)
  end
end

-- Adds to the counts of a hash, in few commands where there are many. What comes to nothing is forgotten where `isForgotten`.
local function settleCounts(name, counts, isForgotten)
  local names = {}
  for counted, by in pairs(counts) do
    if by ~= 0 then names[#names + 1] = counted end
  end
  for first = 1, #names, 1000 do
    local last = math.min(first + 999, #names)
    local known = redis.call('HMGET', key(name), unpack(names, first, last))
    local changed, gone = {}, {}
    for at = first, last do
      local now = (known[at - first + 1] or 0) + counts[names[at]]
      if isForgotten and now <= 0 then
        gone[#gone + 1] = names[at]
      else
        changed[#changed + 1] = names[at]
        changed[#changed + 1] = string.format('%d', now)
      end
    end
    if #changed > 0 then redis.call('HSET', key(name), unpack(changed)) end
    if #gone > 0 then redis.call('HDEL', key(name), unpack(gone)) end
  end
end

-- Writes all that was changed.
local function settle()
  for _, envelope in pairs(envelopes) do settleEnvelope(envelope) end
  for name, members in pairs(sets) do settleSet(name, members) end
  sumUp('deliveries', 'route', deliveriesBy)
  sumUp('documents', 'type', documentsBy)
  settleCounts('ledger', ledger, false)
  settleCounts('senders', senders, true)
  settleCounts('holding', holding, true)
end
