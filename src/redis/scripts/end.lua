#!lua flags=allow-oom
-- Records how attempts of this instance ended. ARGV[3]: instance. ARGV[4]: for how long a bounce may reopen what was handed over. Then of
-- each: id, kind, due time or reason, record, and the token of the attempt, or '' for whichever this instance has under way. The kind `closed` is `void` where the stream was closed, and this may be why;
-- `uncounted` a retry that burns no try; `proven` is `delivered` where the receiver has answered, not only the server.
-- Gives of each the id that became free to start by it, or ''. An end of what this instance has not under way is ignored, and so is one
-- of an earlier attempt.
local INSTANCE, BOUNCE_MS = ARGV[3], tonumber(ARGV[4])

-- Whoever has answered has had it, and the stream lived.
local function acquit(facts)
  facts.closes, facts.crashes = nil, nil
end

local function deliver(delivery, kind)
  local sum = summary(delivery.envelope)
  if kind == 'proven' then
    delivery.facts.proven = true
  else
    sum.reopenable = math.max(sum.reopenable or 0, NOW + BOUNCE_MS)
  end
  return finish(delivery, 'delivered')
end

-- Most deliveries end with their first attempts, of which nobody asked anything meanwhile, and those of their documents that ended before
-- them were delivered too: facts and sum are then as accept.lua wrote them, but for their values, and change as text. What reads in any
-- other way is left to the common way. Between quotes a quote is escaped: what is looked for here can't stand in a value.
local PLAIN_FACTS = '^{"state":"waiting",("to":"[^"\\]+","route":"([^"\\]+)","priority":%-?%d+,"tries":1,"due":%d+,"patience":%d+),' ..
  '"holder":"([^"\\]+)","token":"([^"\\]+)","started":%d+}$'
local PLAIN_SUM = '^({"type":"([^"\\]+)","sender":"([^"\\]+)","sequence":0),"waiting":(%d+),' ..
  '"held":0,"dead":0,"expired":0,"dropped":0,"delivered":(%d+),"bytes":(%d+)([^%s]*),"state":"waiting"}$'
local SUM = '%s,"waiting":%d,"held":0,"dead":0,"expired":0,"dropped":0,"delivered":%d,"bytes":%s%s,"state":"%s"}'
local REOPENABLE = string.format(',"reopenable":%d', NOW + BOUNCE_MS)
local plain = { routes = {}, types = {}, bytes = 0, bytesKept = 0 }

-- The last delivery of its document has ended. Gives how many bytes that has still.
local function finishPlainly(envelopeId, name, type, sender, bytes, reopenable)
  put('finished', envelopeId, ARGV[2])
  add(plain.types, type, 1)
  add(senders, sender, -1)
  plain.bytes = plain.bytes + bytes
  local untilMs = reopenable ~= '' and tonumber(string.match(reopenable, '%d+')) or 0
  if untilMs < NOW then
    redis.call('HDEL', name, 'payload')
    return '0'
  end
  put('reopenable', envelopeId, untilMs)
  plain.bytesKept = plain.bytesKept + bytes
  return bytes
end

local function deliverPlainly(id, kind, record, token)
  local envelopeId, index = string.match(id, '^([^.]+)%.(%d+)$')
  -- Another of this batch may have changed it, and writes it at the end.
  if not envelopeId or envelopes[envelopeId] then return false end
  local name, facts, attempts = key('envelope:' .. envelopeId), 'd' .. index, 'a' .. index
  local found = redis.call('HMGET', name, facts, attempts, 'sum', 'v')
  if not found[1] or found[2] or not found[3] or found[4] ~= VERSION then return false end
  local kept, route, holder, begun = string.match(found[1], PLAIN_FACTS)
  local head, type, sender, waiting, delivered, bytes, reopenable = string.match(found[3], PLAIN_SUM)
  if holder ~= INSTANCE or not head then return false end
  if token ~= begun and token ~= '' then return false end
  if reopenable ~= '' and not string.find(reopenable, '^,"reopenable":%d+$') then return false end
  local isProven, left = kind == 'proven', waiting - 1
  -- Of the same length: the later is the larger.
  if not isProven and reopenable < REOPENABLE then reopenable = REOPENABLE end
  if left == 0 then bytes = finishPlainly(envelopeId, name, type, sender, bytes, reopenable) end
  redis.call('HSET', name,
    facts, '{"state":"delivered",' .. kept .. ',"ended":' .. ARGV[2] .. (isProven and ',"proven":true}' or '}'),
    attempts, record,
    'sum', string.format(SUM, head, left, delivered + 1, bytes, reopenable, left == 0 and 'delivered' or 'waiting'))
  take('underway', id)
  add(plain.routes, route, 1)
  return true
end

local function countPlain()
  for route, count in pairs(plain.routes) do
    countDelivery(route, 'waiting', -count)
    countDelivery(route, 'delivered', count)
  end
  for type, count in pairs(plain.types) do
    add(countsOf(documentsBy, 'waiting'), type, -count)
    add(countsOf(documentsBy, 'delivered'), type, count)
  end
  add(ledger, 'bytes waiting', -plain.bytes)
  add(ledger, 'bytes finished', plain.bytesKept)
end

local function conclude(id, kind, detail, record, token)
  if (kind == 'delivered' or kind == 'proven') and deliverPlainly(id, kind, record, token) then return nil end
  local delivery = read(id)
  if not delivery or not isAttemptOf(delivery.facts, INSTANCE, token) then return nil end
  addRecord(delivery, record)
  local facts = delivery.facts
  if kind == 'closed' then facts.closes = (facts.closes or 0) + 1 end
  if kind == 'void' or kind == 'closed' or kind == 'uncounted' then facts.tries = facts.tries - 1 end
  local again = kind == 'retry' or kind == 'uncounted'
  local isDelivered = kind == 'delivered' or kind == 'proven'
  if again or isDelivered or (kind == 'dead' and not string.find(detail, '^breaks%-')) then acquit(facts) end
  if again or kind == 'void' or kind == 'closed' then return postpone(delivery, tonumber(detail)) end
  if isDelivered then return deliver(delivery, kind) end
  local asked = facts.asked
  if asked and kind == 'dead' then return endAsAsked(delivery, asked) end
  return finish(delivery, kind, kind == 'expired' and 'expired' or (kind == 'dead' and detail or nil))
end

local freed = {}
for at = 5, #ARGV, 5 do
  local first = conclude(ARGV[at], ARGV[at + 1], ARGV[at + 2], ARGV[at + 3], ARGV[at + 4])
  freed[#freed + 1] = first and first.facts.due <= NOW and first.id or ''
end
countPlain()
settle()
return freed
