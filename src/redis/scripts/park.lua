#!lua flags=allow-oom
-- Waiting -> dead, with the reason 'parked': out of its lane, to be redriven some time. ARGV[3]: a delivery id, or an envelope id for
-- all that waits of a document. ARGV[4]: who wants it and why, for the record.
-- Gives how many ended, and how many will when the attempt that is under way has ended; done twice it gives the same.
local ID, TEXT = ARGV[3], ARGV[4]
local count = { ended = 0, asked = 0 }

for _, delivery in ipairs(named(ID)) do
  local outcome = ask(delivery, { state = 'dead', reason = 'parked', text = TEXT })
  if outcome then count[outcome] = count[outcome] + 1 end
end
settle()
return { count.ended, count.asked }
