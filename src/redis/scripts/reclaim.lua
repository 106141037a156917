#!lua flags=allow-oom
-- Takes back what other instances had under way. ARGV[3]: instance. ARGV[4]: how many to pass over. ARGV[5]: how many to look at.
-- Gives how many were taken back, and how many are this instance's own.
local INSTANCE, OFFSET, COUNT = ARGV[3], tonumber(ARGV[4]), tonumber(ARGV[5])
local taken, own = 0, 0

for _, id in ipairs(redis.call('ZRANGE', key('underway'), OFFSET, OFFSET + COUNT - 1)) do
  local delivery = read(id)
  if delivery and delivery.facts.holder == INSTANCE then
    own = own + 1
  else
    taken = taken + 1
    if delivery and delivery.facts.holder then
      void(delivery, 'The process that had it under way is gone')
    else
      take('underway', id)
    end
  end
end
settle()
return { taken, own }
