#!lua flags=no-writes
-- Documents of the archive, newest first. ARGV[3]: how many to pass over. ARGV[4]: how many to look at. ARGV[5], ARGV[6]: received not
-- before and not after; '-inf', '+inf' for any time. Gives of each: id and meta.
local OFFSET, COUNT, SINCE, UNTIL = tonumber(ARGV[3]), tonumber(ARGV[4]), ARGV[5], ARGV[6]
local documents = {}
for _, id in ipairs(redis.call('ZRANGE', key('archive'), UNTIL, SINCE, 'BYSCORE', 'REV', 'LIMIT', OFFSET, COUNT)) do
  documents[#documents + 1] = { id, redis.call('HGET', key('archive:' .. id), 'meta') }
end
return documents
