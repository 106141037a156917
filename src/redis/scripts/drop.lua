#!lua flags=allow-oom
-- Dead or waiting -> dropped. ARGV[3]: a delivery id, or an envelope id for a whole document. ARGV[4]: reason. ARGV[5]: by whom.
-- Gives how many.
local ID, REASON, BY = ARGV[3], ARGV[4], ARGV[5]
local count = 0

local function dropDocument(envelope)
  local sum = summary(envelope)
  if not sum or sum.state ~= 'dead' or sum.reason ~= 'no-route' then return end
  sum.reason, sum.by, sum.ended = REASON, BY, NOW
  sum.dead, sum.dropped = 0, 1
  take('dead', envelope.id)
  refreshDocument(envelope)
  count = 1
end

for _, delivery in ipairs(named(ID)) do
  if delivery.facts.state == 'dead' or delivery.facts.state == 'waiting' then
    if delivery.facts.holder then
      addRecord(delivery, cjson.encode({ atMs = delivery.facts.started, result = 'void', text = 'Dropped while under way' }))
    end
    delivery.facts.by = BY
    finish(delivery, 'dropped', REASON)
    count = count + 1
  end
end
if not string.find(ID, '.', 1, true) and count == 0 then dropDocument(envelopeOf(ID)) end
settle()
return count
