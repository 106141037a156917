#!lua flags=no-writes
-- Dead letters, newest first. ARGV[3]: how many to pass over. ARGV[4]: how many to look at.
-- Gives of each: id, sum, meta, facts or '', the last attempt or ''.
local OFFSET, COUNT = tonumber(ARGV[3]), tonumber(ARGV[4])
local letters = {}
for _, id in ipairs(redis.call('ZREVRANGE', key('dead'), OFFSET, OFFSET + COUNT - 1)) do
  local envelopeId = string.match(id, '^[^.]+')
  local envelope = envelopeOf(envelopeId)
  local found = redis.call('HMGET', envelope.key, 'sum', 'meta')
  local delivery = read(id)
  local facts = delivery and redis.call('HGET', envelope.key, 'd' .. delivery.index) or ''
  local last = delivery and string.match(delivery.attempts, '[^\n]*$') or ''
  letters[#letters + 1] = { id, found[1], found[2], facts, last }
end
return letters
