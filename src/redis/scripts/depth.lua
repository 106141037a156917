#!lua flags=no-writes
-- How many deliveries wait, are under way and are dead, the due time of the one that is due longest, or '', how many
-- suspects wait, and how many documents are held.
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
  for _, name in ipairs({ 'later', 'suspects' }) do
    local first = redis.call('ZRANGE', key(name), '-inf', NOW, 'BYSCORE', 'LIMIT', 0, 1, 'WITHSCORES')
    if first[1] and (not least or tonumber(first[2]) < least) then least = tonumber(first[2]) end
  end
  return least
end

local due = oldest()
return {
  tonumber(redis.call('HGET', key('ledger'), 'deliveries waiting') or 0),
  redis.call('ZCARD', key('underway')),
  redis.call('ZCARD', key('dead')),
  due and string.format('%.0f', due) or '',
  redis.call('ZCARD', key('suspects')),
  redis.call('ZCARD', key('held')),
}
