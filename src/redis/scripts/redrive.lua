#!lua flags=allow-oom
-- Dead -> waiting, with its tries and the time to give up counted anew. ARGV[3]: a delivery id, or an envelope id for all dead deliveries of a document.
-- What has no address that may be used stays dead. Gives how many.
local count = 0
for _, delivery in ipairs(named(ARGV[3])) do
  if delivery.facts.state == 'dead' and delivery.facts.reason ~= 'address-refused' then
    delivery.facts.tries, delivery.facts.since = 0, NOW
    reopen(delivery, NOW)
    count = count + 1
  end
end
settle()
return count
