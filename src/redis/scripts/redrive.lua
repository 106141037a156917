#!lua flags=allow-oom
-- Dead -> waiting, with its tries counted anew. ARGV[3]: a delivery id, or an envelope id for all dead deliveries of a document.
-- Gives how many.
local count = 0
for _, delivery in ipairs(named(ARGV[3])) do
  if delivery.facts.state == 'dead' then
    delivery.facts.tries = 0
    reopen(delivery, NOW)
    count = count + 1
  end
end
settle()
return count
