-- Ends a request: it was spent on (settle, once by id) or not (release). Answers {1} when it did something, {0} when it had been done.
-- ARGV: now, id, is settled, amount, ttl, how long to remember, subjects, then 5 windows for each.
-- KEYS: of the subjects, then the mark that a request is over.
local now, id, settled, amount, ttl, remember, count = number(), take(), number(), number(), number(), number(), number()
local mark = KEYS[3 * count + 1]
local before = redis.call('GET', mark)
if before == 's' or (before and settled == 0) then
  return {0}
end
redis.call('SET', mark, settled == 1 and 's' or 'r', 'PX', int(remember))
for i = 1, count do
  local k = keys(i)
  drop(k, id, settled == 1, now, ttl)
  for d = 1, 5 do
    local w = window()
    if settled == 1 then
      add(k[1], SLOTS[d], w, now, amount)
    end
  end
end
return {1}
