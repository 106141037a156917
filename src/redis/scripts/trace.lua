#!lua flags=no-writes
-- Everything but the payload of one envelope. ARGV[3]: its id. Gives meta, sum, and of each delivery: index, facts, attempts,
-- the id that it waits behind or '', the meta of the document that it was redriven with or '', and the breaker of its destination or ''. Nothing where there is no such envelope.
local ID = ARGV[3]
local envelope = envelopeOf(ID)
if not summary(envelope) then return {} end

local function behind(delivery)
  local lane = laneOf(delivery)
  if not lane or delivery.facts.state ~= 'waiting' then return '' end
  local place = redis.call('ZRANK', lane, delivery.id)
  if not place or place == 0 then return '' end
  return redis.call('ZRANGE', lane, place - 1, place - 1)[1]
end

local function breaker(delivery)
  if delivery.facts.state ~= 'waiting' or breakerOf(delivery.facts.to) ~= 'open' then return '' end
  return redis.call('HGET', key('breakers'), delivery.facts.to)
end

local answer = { redis.call('HGET', envelope.key, 'meta'), redis.call('HGET', envelope.key, 'sum') }
for _, delivery in ipairs(readAll(ID)) do
  answer[#answer + 1] = {
    delivery.index, redis.call('HGET', envelope.key, 'd' .. delivery.index), delivery.attempts, behind(delivery), documentMeta(delivery),
    breaker(delivery),
  }
end
return answer
