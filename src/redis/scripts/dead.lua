#!lua flags=no-writes
-- Dead letters, newest first. ARGV[3]: how many to pass over. ARGV[4]: how many to look at. ARGV[5], ARGV[6]: died not before and not
-- after; '-inf', '+inf' for any time.
-- Gives of each: id, sum, meta, facts or '', the last attempt or '', and the meta of the document that it was redriven with or ''.
local OFFSET, COUNT, SINCE, UNTIL = tonumber(ARGV[3]), tonumber(ARGV[4]), ARGV[5], ARGV[6]
local letters = {}
for _, id in ipairs(redis.call('ZRANGE', key('dead'), UNTIL, SINCE, 'BYSCORE', 'REV', 'LIMIT', OFFSET, COUNT)) do
  local envelopeId = string.match(id, '^[^.]+')
  local envelope = envelopeOf(envelopeId)
  local found = redis.call('HMGET', envelope.key, 'sum', 'meta')
  local delivery = read(id)
  local facts = delivery and redis.call('HGET', envelope.key, 'd' .. delivery.index) or ''
  local last = delivery and string.match(delivery.attempts, '[^\n]*$') or ''
  letters[#letters + 1] = { id, found[1], found[2], facts, last, delivery and documentMeta(delivery) or '' }
end
return letters
