#!lua
-- Accepts batches of documents, each batch all or none: envelopes, deliveries with their places in the order, claims, ledger.
-- ARGV[3], ARGV[4]: how many documents may wait in all, and of one sender. ARGV[5]: how many bytes of payload may wait, the
-- document that reaches it included. ARGV[6], ARGV[7], ARGV[8]: the same of documents that are held. ARGV[9]: how many batches follow.
-- ARGV[10]: the count of senders; then these, each once; then the batches.
-- Of each: the count of documents; of each document: id, type, sender, digest, claim, its window, which reports are wanted or '', what
-- few documents have (JSON) or '', meta, payload; where it says so what goes into the archive, and the parts of its deliveries
-- that are to be written later; the count of deliveries to be written now; and of each of these: route, lane or '', facts, options, its
-- first record where it is dead from the beginning, or '', and the end of the lease of its first attempt where that is to begin now, or
-- ''. The facts are then those of a delivery under way.
-- What few have: key, keyMs (its window); source and item that it was taken from, keep (how many items of it are remembered); held
-- (what was found wrong with it); archived (1 where an argument follows); rest (what is to be written later of its deliveries).
-- Gives for each batch 1, where its one document is accepted and all its attempts have begun; otherwise of each document: its answer, an
-- id, 'replaced' where it takes over the claim of another document, or '', and the indexes of the deliveries whose attempts have begun;
-- 'held' behind the id of a duplicate, or of who has the key, where that is held; or 'overloaded', scope, waiting.
local LIMIT_ALL, LIMIT_SENDER, LIMIT_BYTES = tonumber(ARGV[3]), tonumber(ARGV[4]), tonumber(ARGV[5])
local HELD_ALL, HELD_SENDER, HELD_BYTES, COUNT = tonumber(ARGV[6]), tonumber(ARGV[7]), tonumber(ARGV[8]), tonumber(ARGV[9])
local at = 10 + tonumber(ARGV[10])
local waiting = tonumber(redis.call('HGET', key('ledger'), 'documents waiting') or 0)
local bytesWaiting = tonumber(redis.call('HGET', key('ledger'), 'bytes waiting') or 0)
local waitingOf = {}
for first = 11, at, 1000 do
  local last = math.min(first + 999, at)
  for index, count in ipairs(redis.call('HMGET', key('senders'), unpack(ARGV, first, last))) do
    waitingOf[ARGV[first + index - 1]] = tonumber(count or 0)
  end
end

local function argument()
  at = at + 1
  return ARGV[at]
end

-- The id and digest that a claim or key stands for: in Redis, or made by an earlier document of the same batch.
local function lookUp(name, batch)
  local value = batch.names[name] or redis.call('GET', key(name))
  if not value then return nil end
  return string.match(value, '^(%S+) (%S+)$')
end

-- What became of the item before, in Redis or by an earlier document of the same batch.
local function standing(document, batch)
  local value = batch.names[document.source .. ' ' .. document.item]
    or redis.call('HGET', key('taken:' .. document.source), document.item)
  if not value then return nil end
  return string.match(value, '^(%S+) (%S+)$')
end

-- What is held already: as it stands in Redis, with what this call adds to it.
local function countHeld(name, group)
  return tonumber(redis.call('HGET', key(group or 'ledger'), name) or 0)
end

local heldNow = { all = 0, bytes = 0, by = {} }

local function heldRefusal(document, batch)
  local sender = document.sender
  local inAll = countHeld('documents held') + heldNow.all + batch.held
  local ofSender = countHeld(sender, 'holding') + (heldNow.by[sender] or 0) + (batch.heldBy[sender] or 0)
  local bytes = countHeld('bytes held') + heldNow.bytes + batch.heldBytes
  if inAll >= HELD_ALL then return { 'overloaded', 'held', inAll } end
  if ofSender >= HELD_SENDER then return { 'overloaded', 'held of sender', ofSender } end
  if bytes >= HELD_BYTES then return { 'overloaded', 'held bytes', bytes } end
  return nil
end

-- The first one's id, and whether that is held.
local function named(answer, id, batch)
  local sum = not batch.ids[id] and summary(envelopeOf(id))
  local isHeld = sum and sum.state == 'held' or batch.heldIds[id]
  return { answer, id, isHeld and 'held' or nil }
end

local function duplicate(id, batch)
  return named('duplicate', id, batch)
end

-- It was held as invalid, and an operator refused it: the corrected one comes under the same key.
local function isRefused(id, batch)
  if batch.ids[id] then return false end
  local sum = summary(envelopeOf(id))
  if not sum or sum.state ~= 'dropped' then return false end
  local held = redis.call('HGET', key('envelope:' .. id), 'held')
  local ended = held and cjson.decode(held).ended
  return ended and ended.how == 'refused'
end

local function refusal(document, batch)
  if document.source ~= '' then
    local id, digest = standing(document, batch)
    if id and (digest == document.digest or digest == 'own') then
      document.remembered = true
      return duplicate(id, batch)
    end
  end
  if document.claimMs > 0 then
    local id, digest = lookUp('claim:' .. document.claim, batch)
    if id and digest == document.digest then return duplicate(id, batch) end
    document.replaces = id ~= nil
  end
  if document.keyMs > 0 then
    local id, digest = lookUp('key:' .. document.key, batch)
    if id and digest == document.digest then return duplicate(id, batch) end
    if id and not isRefused(id, batch) then return named('key-conflict', id, batch) end
  end
  if document.held ~= '' then return heldRefusal(document, batch) end
  local inAll, ofSender = waiting + batch.added, waitingOf[document.sender] + (batch.addedBy[document.sender] or 0)
  if inAll >= LIMIT_ALL then return { 'overloaded', 'all', inAll } end
  if ofSender >= LIMIT_SENDER then return { 'overloaded', 'sender', ofSender } end
  if bytesWaiting + batch.bytes >= LIMIT_BYTES then return { 'overloaded', 'bytes', bytesWaiting + batch.bytes } end
  return nil
end

-- Decides on a document as if those before it in the batch were written; writes nothing.
local function judge(document, batch)
  if batch.ids[document.id] or envelopes[document.id] or redis.call('EXISTS', key('envelope:' .. document.id)) == 1 then
    document.known = true
    return { 'accepted', document.id, '' }
  end
  local refused = refusal(document, batch)
  if refused then return refused end
  document.new, batch.ids[document.id] = true, true
  local value = document.id .. ' ' .. document.digest
  if document.claimMs > 0 then batch.names['claim:' .. document.claim] = value end
  if document.keyMs > 0 then batch.names['key:' .. document.key] = value end
  if document.source ~= '' then batch.names[document.source .. ' ' .. document.item] = value end
  if document.held ~= '' then
    batch.held, batch.heldBytes = batch.held + 1, batch.heldBytes + #document.payload
    add(batch.heldBy, document.sender, 1)
    batch.heldIds[document.id] = true
  elseif document.waiting > 0 then
    batch.added = batch.added + 1
    batch.bytes = batch.bytes + #document.payload
    add(batch.addedBy, document.sender, 1)
  end
  return { 'accepted', document.id, document.replaces and 'replaced' or '' }
end

local function takePlace(id, lane, sequence)
  redis.call('ZADD', key('lane:' .. lane), sequence, id)
  return redis.call('ZRANK', key('lane:' .. lane), id) == 0
end

-- Nothing waits before it, and its destination is not open.
local function mayBegin(delivery, isFirst)
  if delivery.lease == '' or not isFirst then return false end
  return not isAnyOpen() or breakerOf(cjson.decode(delivery.facts).to) ~= 'open'
end

-- It waits for its first attempt.
local function schedule(id, delivery, isFirst)
  local facts = cjson.decode(delivery.facts)
  if delivery.lease ~= '' then
    facts.holder, facts.token, facts.started, facts.tries = nil, nil, nil, 0
    delivery.facts = cjson.encode(facts)
  end
  if facts.expires then put('expiring', id, facts.expires) end
  if isFirst then put('ready', id, rank(facts)) end
end

local function numberOf(document, index)
  return document.rest and document.rest.numbers[index] or index - 1
end

local function writeDeliveries(document, envelope, answer)
  local writes = envelope.writes
  for index, delivery in ipairs(document.deliveries) do
    local number = numberOf(document, index)
    local id = document.id .. '.' .. number
    local isDead = delivery.record ~= ''
    countDelivery(delivery.route, 'planned', 1)
    countDelivery(delivery.route, isDead and 'dead' or 'waiting', 1)
    if isDead then
      writes[#writes + 1] = 'a' .. number
      writes[#writes + 1] = delivery.record
      put('dead', id, NOW)
    else
      local isFirst = delivery.lane == '' or takePlace(id, delivery.lane, envelope.sum.sequence)
      if mayBegin(delivery, isFirst) then
        put('underway', id, delivery.lease)
        answer[#answer + 1] = number
      else
        schedule(id, delivery, isFirst)
      end
    end
    writes[#writes + 1] = 'd' .. number
    writes[#writes + 1] = delivery.facts
    writes[#writes + 1] = 'o' .. number
    writes[#writes + 1] = delivery.options
  end
end

-- The attempts that began when this very call was made before, and its reply was lost.
local function tellBegun(document, answer)
  for index, delivery in ipairs(document.deliveries) do
    local number = numberOf(document, index)
    local found = delivery.lease ~= '' and read(document.id .. '.' .. number)
    if found and found.facts.holder and found.facts.token == cjson.decode(delivery.facts).token then
      answer[#answer + 1] = number
    end
  end
end

-- They are counted, and have their places in the lanes: what is accepted later comes behind them.
local function keepRest(document, envelope)
  local rest, writes = document.rest, envelope.writes
  for at, part in ipairs(document.parts) do
    writes[#writes + 1] = 'r' .. at
    writes[#writes + 1] = part
  end
  for route, count in pairs(rest.routes) do
    countDelivery(route, 'planned', count)
    countDelivery(route, 'waiting', count)
  end
  for index, lane in string.gmatch(rest.lanes, '(%d+) (%S+)') do
    redis.call('ZADD', key('lane:' .. lane), envelope.sum.sequence, document.id .. '.' .. index)
  end
  envelope.sum.rest = { next = 1, starts = rest.starts }
  put('expanding', document.id, NOW)
end

local function write(document, answer)
  local envelope = envelopeOf(document.id)
  local isHeld = document.held ~= ''
  local unrouted = document.count == 0 and not document.rest and not isHeld
  local sum = {
    type = document.type, sender = document.sender,
    sequence = document.ordered and redis.call('INCR', key('sequence')) or 0,
    waiting = document.waiting, held = isHeld and 1 or 0, dead = unrouted and 1 or document.dead,
    expired = 0, dropped = 0, delivered = 0, bytes = #document.payload,
    report = document.report ~= '' and document.report or nil,
  }
  sum.state = documentState(sum)
  if unrouted then
    sum.reason, sum.ended = 'no-route', NOW
    put('dead', document.id, NOW)
  end
  envelope.sum, envelope.touched, envelope.ended = sum, true, sum.waiting == 0
  envelope.writes = { 'v', 1, 'meta', document.meta, 'payload', document.payload }
  if isHeld then
    put('held', document.id, NOW)
    envelope.writes[7], envelope.writes[8] = 'held', document.held
  end
  if document.archived ~= '' then
    redis.call('HSET', key('archive:' .. document.id), 'meta', document.meta, 'payload', document.archived)
    redis.call('ZADD', key('archive'), NOW, document.id)
    redis.call('INCRBY', key('archive:bytes'), #document.meta + #document.archived)
  end
  writeDeliveries(document, envelope, answer)
  if document.rest then keepRest(document, envelope) end
  countDocument(sum, 'accepted', 1)
  countDocument(sum, sum.state, 1)
  countBytes(sum, sum.state, 1)
  local value = document.id .. ' ' .. document.digest
  if document.claimMs > 0 then redis.call('SET', key('claim:' .. document.claim), value, 'PX', document.claimMs) end
  if document.keyMs > 0 then redis.call('SET', key('key:' .. document.key), value, 'PX', document.keyMs) end
  if document.source ~= '' then remember(document.source, document.item, value, document.keep) end
end

-- A known one is written again, so that a WAIT or WAITAOF behind this call has something to wait for.
local function commit(documents, answers, batch)
  for index, document in ipairs(documents) do
    if document.new then
      write(document, answers[index])
    elseif document.known then
      redis.call('HSET', key('envelope:' .. document.id), 'v', 1)
      tellBegun(document, answers[index])
    elseif answers[index][1] == 'duplicate' then
      countDocument({ type = document.type }, 'duplicate', 1)
      -- What it is a duplicate of is forgotten with the key's window, and the item may be there for longer.
      if document.source ~= '' and not document.remembered then
        remember(document.source, document.item, answers[index][2] .. ' ' .. document.digest, document.keep)
      end
    end
  end
  waiting, bytesWaiting = waiting + batch.added, bytesWaiting + batch.bytes
  heldNow.all, heldNow.bytes = heldNow.all + batch.held, heldNow.bytes + batch.heldBytes
  for sender, by in pairs(batch.heldBy) do add(heldNow.by, sender, by) end
  for sender, by in pairs(batch.addedBy) do waitingOf[sender] = waitingOf[sender] + by end
end

-- What few documents have, with the arguments that follow where it says so.
local function readRare(document, text)
  local rare = text == '' and {} or cjson.decode(text)
  document.key, document.keyMs, document.held = rare.key, rare.keyMs or 0, rare.held or ''
  document.source, document.item, document.keep = rare.source or '', rare.item, rare.keep
  document.archived = rare.archived and argument() or ''
  if rare.rest then
    document.rest, document.parts = rare.rest, {}
    for at = 1, #rare.rest.starts do document.parts[at] = argument() end
    document.waiting, document.ordered = rare.rest.count, rare.rest.lanes ~= ''
  end
end

local function readDocument()
  local document = { waiting = 0, dead = 0, deliveries = {} }
  local rare
  document.id, document.type, document.sender, document.digest, document.claim, document.claimMs, document.report, rare,
    document.meta, document.payload = unpack(ARGV, at + 1, at + 10)
  at, document.claimMs = at + 10, tonumber(document.claimMs)
  readRare(document, rare)
  document.count = tonumber(argument())
  for index = 1, document.count do
    local delivery = {}
    delivery.route, delivery.lane, delivery.facts, delivery.options, delivery.record, delivery.lease = unpack(ARGV, at + 1, at + 6)
    at = at + 6
    if delivery.record == '' then document.waiting = document.waiting + 1 else document.dead = document.dead + 1 end
    if delivery.lane ~= '' then document.ordered = true end
    document.deliveries[index] = delivery
  end
  return document
end

local function acceptBatch(count)
  local batch = {
    ids = {}, names = {}, added = 0, bytes = 0, addedBy = {}, held = 0, heldBytes = 0, heldBy = {}, heldIds = {},
  }
  local documents, answers, whole = {}, {}, true
  for index = 1, count do
    local document = readDocument()
    local answer = judge(document, batch)
    documents[index], answers[index] = document, answer
    if answer[1] == 'overloaded' or answer[1] == 'key-conflict' then whole = false end
  end
  if whole then commit(documents, answers, batch) end
  return answers
end

-- Most documents come alone, have nothing rare, and nothing is in the way of their first attempts: they are written as they are
-- given. What is found in the way leaves everything to the common way. Gives whether it was accepted.
local plain = { types = {}, routes = {}, bytes = 0 }
local jsonOf = {}

local function quoted(text)
  jsonOf[text] = jsonOf[text] or cjson.encode(text)
  return jsonOf[text]
end

local function isPlain()
  if ARGV[at + 8] ~= '' or isAnyOpen() then return false end
  local count = tonumber(ARGV[at + 11])
  for first = at + 12, at + 11 + 6 * count, 6 do
    if ARGV[first + 1] ~= '' or ARGV[first + 4] ~= '' or ARGV[first + 5] == '' then return false end
  end
  return count > 0
end

local function acceptPlainly()
  local id, type, sender, digest, claim, claimMs, report, _, meta, payload, count = unpack(ARGV, at + 1, at + 11)
  local name, claimName = key('envelope:' .. id), tonumber(claimMs) > 0 and key('claim:' .. claim)
  if waiting >= LIMIT_ALL or waitingOf[sender] >= LIMIT_SENDER or bytesWaiting >= LIMIT_BYTES then return false end
  if redis.call('EXISTS', name, claimName or name) > 0 then return false end
  local sum = '{"type":' .. quoted(type) .. ',"sender":' .. quoted(sender) .. ',"sequence":0,"waiting":' .. count ..
    ',"held":0,"dead":0,"expired":0,"dropped":0,"delivered":0,"bytes":' .. #payload ..
    (report == '' and '' or ',"report":"' .. report .. '"') .. ',"state":"waiting"}'
  local writes = { 'v', VERSION, 'meta', meta, 'payload', payload, 'sum', sum }
  at = at + 11
  for number = 0, tonumber(count) - 1 do
    local route, _, facts, options, _, lease = unpack(ARGV, at + 1, at + 6)
    at = at + 6
    local size = #writes
    writes[size + 1], writes[size + 2], writes[size + 3], writes[size + 4] = 'd' .. number, facts, 'o' .. number, options
    put('underway', id .. '.' .. number, lease)
    add(plain.routes, route, 1)
  end
  redis.call('HSET', name, unpack(writes))
  if claimName then redis.call('SET', claimName, id .. ' ' .. digest, 'PX', claimMs) end
  waiting, bytesWaiting, waitingOf[sender] = waiting + 1, bytesWaiting + #payload, waitingOf[sender] + 1
  plain.bytes = plain.bytes + #payload
  add(plain.types, type, 1)
  add(senders, sender, 1)
  return true
end

local function countPlain()
  for type, count in pairs(plain.types) do
    add(countsOf(documentsBy, 'accepted'), type, count)
    add(countsOf(documentsBy, 'waiting'), type, count)
  end
  for route, count in pairs(plain.routes) do
    countDelivery(route, 'planned', count)
    countDelivery(route, 'waiting', count)
  end
  add(ledger, 'bytes waiting', plain.bytes)
end

local batches = {}
for index = 1, COUNT do
  local count = tonumber(argument())
  if count == 1 and isPlain() and acceptPlainly() then
    batches[index] = 1
  else
    batches[index] = acceptBatch(count)
  end
end
countPlain()
settle()
return batches
