#!lua flags=no-writes
-- Reports that are owed, oldest first. ARGV[3]: how many at most. Gives of each: envelope id, which of its ends it tells of.
local owed = {}
for _, id in ipairs(redis.call('ZRANGE', key('reports'), 0, tonumber(ARGV[3]) - 1)) do
  local sum = summary(envelopeOf(id))
  owed[#owed + 1] = { id, sum and sum.ends or 0 }
end
return owed
