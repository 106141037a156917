#!lua flags=no-writes
-- How many deliveries wait, are under way and are dead, and the due time of the one that is due longest, or ''.
local LEVEL = 1e13

-- The set is ordered by urgency first: the oldest of each level is its first.
local function oldest()
  local least, from = nil, '-inf'
  while true do
    local found = redis.call('ZRANGE', key('ready'), from, '+inf', 'BYSCORE', 'LIMIT', 0, 1, 'WITHSCORES')
    if not found[1] then break end
    local level = math.floor(tonumber(found[2]) / LEVEL)
    local due = tonumber(found[2]) - level * LEVEL
    if not least or due < least then least = due end
    from = string.format('%.0f', (level + 1) * LEVEL)
  end
  local later = redis.call('ZRANGE', key('later'), '-inf', NOW, 'BYSCORE', 'LIMIT', 0, 1, 'WITHSCORES')
  if later[1] and (not least or tonumber(later[2]) < least) then least = tonumber(later[2]) end
  return least
end

local due = oldest()
return {
  tonumber(redis.call('HGET', key('ledger'), 'deliveries waiting') or 0),
  redis.call('ZCARD', key('underway')),
  redis.call('ZCARD', key('dead')),
  due and string.format('%.0f', due) or '',
}
