#!lua flags=no-writes
-- Documents that are held, newest first. ARGV[3]: how many to pass over. ARGV[4]: how many to look at. ARGV[5], ARGV[6]: received not
-- before and not after; '-inf', '+inf' for any time.
-- Gives of each: id, meta, and what was found wrong with it.
local OFFSET, COUNT, SINCE, UNTIL = tonumber(ARGV[3]), tonumber(ARGV[4]), ARGV[5], ARGV[6]
local documents = {}
for _, id in ipairs(redis.call('ZRANGE', key('held'), UNTIL, SINCE, 'BYSCORE', 'REV', 'LIMIT', OFFSET, COUNT)) do
  local found = redis.call('HMGET', envelopeOf(id).key, 'meta', 'held')
  documents[#documents + 1] = { id, found[1], found[2] }
end
return documents
