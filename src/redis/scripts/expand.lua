#!lua flags=allow-oom
-- Writes the next part of the deliveries that are still to be written, those of the oldest document first. Gives the ids that may start,
-- and 1 where there is more.
local ids = {}

local function expandNext(envelope)
  local version = redis.call('HGET', envelope.key, 'v')
  if version and version ~= VERSION then return put('expanding', envelope.id, NOW + FOREIGN_MS) end
  local rest = restOf(envelope)
  if not rest then return take('expanding', envelope.id) end
  for _, delivery in ipairs(expandPart(envelope, rest.next)) do
    if sets.ready[delivery.id] then ids[#ids + 1] = delivery.id end
  end
end

local first = redis.call('ZRANGE', key('expanding'), '-inf', NOW, 'BYSCORE', 'LIMIT', 0, 2)
if first[1] then expandNext(envelopeOf(first[1])) end
settle()
return { ids, (first[2] or (first[1] and restOf(envelopeOf(first[1])))) and 1 or 0 }
