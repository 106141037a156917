#!lua flags=allow-oom
-- Records how attempts of this instance ended. ARGV[3]: instance; then of each: id, kind, due time or reason, record. The kind
-- `closed` is `void` where the stream was closed, and this may be why; `uncounted` a retry that burns no try.
-- Gives of each the id that became free to start by it, or ''. An end of what this instance has not under way is ignored.
local INSTANCE = ARGV[3]

-- Whoever has answered has had it, and the stream lived.
local function acquit(facts)
  facts.closes, facts.crashes = nil, nil
end

local function conclude(id, kind, detail, record)
  local delivery = read(id)
  if not delivery or delivery.facts.holder ~= INSTANCE then return nil end
  addRecord(delivery, record)
  local facts = delivery.facts
  if kind == 'closed' then facts.closes = (facts.closes or 0) + 1 end
  if kind == 'void' or kind == 'closed' or kind == 'uncounted' then facts.tries = facts.tries - 1 end
  local again = kind == 'retry' or kind == 'uncounted'
  if again or kind == 'delivered' or (kind == 'dead' and not string.find(detail, '^breaks%-')) then acquit(facts) end
  if again or kind == 'void' or kind == 'closed' then return postpone(delivery, tonumber(detail)) end
  local asked = facts.asked
  if asked and kind == 'dead' then return endAsAsked(delivery, asked) end
  return finish(delivery, kind, kind == 'expired' and 'expired' or (kind == 'dead' and detail or nil))
end

local freed = {}
for at = 4, #ARGV, 4 do
  local first = conclude(ARGV[at], ARGV[at + 1], ARGV[at + 2], ARGV[at + 3])
  freed[#freed + 1] = first and first.facts.due <= NOW and first.id or ''
end
settle()
return freed
