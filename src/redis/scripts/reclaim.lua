#!lua flags=allow-oom
-- Takes back what other instances had under way. ARGV[3]: instance. ARGV[4]: how many to pass over. ARGV[5]: how many to look at.
-- Gives how many were taken back, how many are this instance's own, and the ids of those that were given up.
local INSTANCE, OFFSET, COUNT = ARGV[3], tonumber(ARGV[4]), tonumber(ARGV[5])
local taken, own, dead = 0, 0, {}
local GONE = 'The process that had it under way is gone'

-- Whether a process dies of a delivery shows when it was alone in its hands, after it was there at several ends.
local function takeBack(delivery)
  local facts = delivery.facts
  if facts.alone and (facts.crashes or 0) >= SUSPECT_AFTER and not facts.asked then
    addRecord(delivery, cjson.encode({ atMs = facts.started, tookMs = NOW - facts.started, result = 'breaks-step', text = GONE }))
    finish(delivery, 'dead', 'breaks-step')
    dead[#dead + 1] = delivery.id
    return
  end
  facts.crashes = (facts.crashes or 0) + 1
  void(delivery, GONE)
end

for _, id in ipairs(redis.call('ZRANGE', key('underway'), OFFSET, OFFSET + COUNT - 1)) do
  local delivery = read(id)
  if foreign[id] or (delivery and delivery.facts.holder == INSTANCE) then
    own = own + 1
  else
    taken = taken + 1
    if delivery and delivery.facts.holder then
      takeBack(delivery)
    else
      take('underway', id)
    end
  end
end
settle()
return { taken, own, dead }
