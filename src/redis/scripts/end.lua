#!lua flags=allow-oom
-- Records how attempts of this instance ended. ARGV[3]: instance; then of each: id, kind, due time or reason, record.
-- Gives of each the id that became free to start by it, or ''. An end of what this instance has not under way is ignored.
local INSTANCE = ARGV[3]

local function conclude(id, kind, detail, record)
  local delivery = read(id)
  if not delivery or delivery.facts.holder ~= INSTANCE then return nil end
  addRecord(delivery, record)
  if kind == 'retry' or kind == 'void' then
    if kind == 'void' then delivery.facts.tries = delivery.facts.tries - 1 end
    return postpone(delivery, tonumber(detail))
  end
  local asked = delivery.facts.asked
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
