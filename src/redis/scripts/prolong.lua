#!lua flags=allow-oom
-- Attempts of this instance that it has in hand still: the lease of each lasts from now on. ARGV[3]: instance. ARGV[4]: lease; then of
-- each: id, and the token of the attempt, or '' for whichever this instance has under way.
-- What ran out stays so, and is taken back by the next look at what is due (due.lua). Gives how many are under way.
local INSTANCE, LEASE_MS = ARGV[3], tonumber(ARGV[4])
local count = 0

for at = 5, #ARGV, 2 do
  local id = ARGV[at]
  local ends = tonumber(redis.call('ZSCORE', key('underway'), id) or 0)
  local delivery = ends > NOW and read(id)
  if delivery and isAttemptOf(delivery.facts, INSTANCE, ARGV[at + 1]) then
    -- That of a long confirmation lasts longer by itself.
    put('underway', id, math.max(ends, NOW + LEASE_MS))
    count = count + 1
  end
end
settle()
return count
