#!lua flags=allow-oom
-- What processes tell of themselves: process, JSON, how many milliseconds it counts for, and under which name all of it stands. Without a
-- process it only reads. Gives what the others told and counts still, and forgets the rest. The clock is that of Redis: those of the
-- processes may differ.
local name, text, lasts, all = ARGV[3], ARGV[4], tonumber(ARGV[5]), key(ARGV[6])
local time = redis.call('TIME')
local now = tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)
local known = redis.call('HGETALL', all)
local answer, late = {}, {}
for at = 1, #known, 2 do
  local ends, told = string.match(known[at + 1], '^(%d+) (.*)$')
  if not ends or tonumber(ends) < now then
    late[#late + 1] = known[at]
  elseif known[at] ~= name then
    answer[#answer + 1] = told
  end
end
if name == '' then return answer end
if #late > 0 then redis.call('HDEL', all, unpack(late)) end
redis.call('HSET', all, name, string.format('%.0f', now + lasts) .. ' ' .. text)
redis.call('PEXPIRE', all, lasts)
return answer
