#!lua flags=allow-oom
-- Dead or waiting -> dropped. ARGV[3]: a delivery id, or an envelope id for a whole document. ARGV[4]: reason. ARGV[5]: by whom.
-- Gives how many ended, and how many will when the attempt that is under way has ended; done twice it gives the same.
local ID, REASON, BY = ARGV[3], ARGV[4], ARGV[5]
local count = { ended = 0, asked = 0 }

local function dropDocument(envelope)
  local sum = summary(envelope)
  if not sum then return end
  local isDone = sum.state == 'dropped' and sum.reason == REASON and sum.by == BY
  if not isDone and (sum.state ~= 'dead' or sum.reason ~= 'no-route') then return end
  count.ended = 1
  if isDone then return end
  sum.reason, sum.by, sum.ended = REASON, BY, NOW
  sum.dead, sum.dropped = 0, 1
  take('dead', envelope.id)
  refreshDocument(envelope)
end

for _, delivery in ipairs(named(ID)) do
  local outcome = ask(delivery, { state = 'dropped', reason = REASON, by = BY })
  if outcome then count[outcome] = count[outcome] + 1 end
end
if not string.find(ID, '.', 1, true) and count.ended + count.asked == 0 then dropDocument(envelopeOf(ID)) end
settle()
return { count.ended, count.asked }
