#!lua flags=allow-oom
-- Takes back attempts of a start whose reply was lost: nobody has them in hand. ARGV[3]: instance. ARGV[4]: token; then ids.
-- Gives how many.
local INSTANCE, TOKEN = ARGV[3], ARGV[4]
local count = 0
for index = 5, #ARGV do
  local delivery = read(ARGV[index])
  if delivery and isAttemptOf(delivery.facts, INSTANCE, TOKEN) then
    void(delivery, 'Redis gave no answer to the start of the attempt')
    count = count + 1
  end
end
settle()
return count
