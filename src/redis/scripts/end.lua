#!lua flags=allow-oom
-- Records how attempts of this instance ended. ARGV[3]: instance. ARGV[4]: for how long a bounce may reopen what was handed over. Then of
-- each: id, kind, due time or reason, record. The kind `closed` is `void` where the stream was closed, and this may be why;
-- `uncounted` a retry that burns no try; `proven` is `delivered` where the receiver has answered, not only the server.
-- Gives of each the id that became free to start by it, or ''. An end of what this instance has not under way is ignored.
local INSTANCE, BOUNCE_MS = ARGV[3], tonumber(ARGV[4])

-- Whoever has answered has had it, and the stream lived.
local function acquit(facts)
  facts.closes, facts.crashes = nil, nil
end

local function deliver(delivery, kind)
  local sum = summary(delivery.envelope)
  if kind == 'proven' then
    delivery.facts.proven = true
  else
    sum.reopenable = math.max(sum.reopenable or 0, NOW + BOUNCE_MS)
  end
  return finish(delivery, 'delivered')
end

local function conclude(id, kind, detail, record)
  local delivery = read(id)
  if not delivery or delivery.facts.holder ~= INSTANCE then return nil end
  addRecord(delivery, record)
  local facts = delivery.facts
  if kind == 'closed' then facts.closes = (facts.closes or 0) + 1 end
  if kind == 'void' or kind == 'closed' or kind == 'uncounted' then facts.tries = facts.tries - 1 end
  local again = kind == 'retry' or kind == 'uncounted'
  local isDelivered = kind == 'delivered' or kind == 'proven'
  if again or isDelivered or (kind == 'dead' and not string.find(detail, '^breaks%-')) then acquit(facts) end
  if again or kind == 'void' or kind == 'closed' then return postpone(delivery, tonumber(detail)) end
  if isDelivered then return deliver(delivery, kind) end
  local asked = facts.asked
  if asked and kind == 'dead' then return endAsAsked(delivery, asked) end
  return finish(delivery, kind, kind == 'expired' and 'expired' or (kind == 'dead' and detail or nil))
end

local freed = {}
for at = 5, #ARGV, 4 do
  local first = conclude(ARGV[at], ARGV[at + 1], ARGV[at + 2], ARGV[at + 3])
  freed[#freed + 1] = first and first.facts.due <= NOW and first.id or ''
end
settle()
return freed
