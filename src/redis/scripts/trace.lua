#!lua flags=no-writes
-- Everything but the payload of one envelope. ARGV[3]: its id. Gives meta, sum, what is kept of its having been held or '', and of each delivery: index, facts, attempts,
-- the id of the first of its lane or '', how many are before it there, and the meta of the document that it was redriven with or '',
-- and the breaker of its destination or ''. Nothing where there is no such envelope, and its version alone where a later one of Waybill has written it.
local ID = ARGV[3]
local envelope = envelopeOf(ID)
local version = redis.call('HGET', envelope.key, 'v')
if version and version ~= VERSION then return { version } end
if not summary(envelope) then return {} end

local function behind(delivery)
  local lane = laneOf(delivery)
  if not lane or delivery.facts.state ~= 'waiting' then return '', 0 end
  local ahead = redis.call('ZRANK', lane, delivery.id)
  if not ahead or ahead == 0 then return '', 0 end
  return redis.call('ZRANGE', lane, 0, 0)[1], ahead
end

local function breaker(delivery)
  if delivery.facts.state ~= 'waiting' or breakerOf(delivery.facts.to) ~= 'open' then return '' end
  return redis.call('HGET', key('breakers'), delivery.facts.to)
end

local answer = { redis.call('HGET', envelope.key, 'meta'), redis.call('HGET', envelope.key, 'sum'), redis.call('HGET', envelope.key, 'held') or '' }
for _, delivery in ipairs(readAll(ID)) do
  local head, ahead = behind(delivery)
  local facts = redis.call('HGET', envelope.key, 'd' .. delivery.index) or cjson.encode(delivery.facts)
  answer[#answer + 1] = { delivery.index, facts, delivery.attempts, head, ahead, documentMeta(delivery), breaker(delivery) }
end
return answer
