-- Checks every subject and dimension, then takes all or nothing. Answers {0, what is spent: five for each subject} or {1, subject,
-- dimension, used, reserved, when it is free again}.
-- ARGV: now, id, amount, session, ttl, lease, subjects, then for each 8 limits ('' none) and 5 windows.
-- KEYS: of the subjects, then the mark that a request is over.
local now, id, amount, session, ttl, lease, count = number(), take(), number(), take(), number(), number(), number()
local subjects = {}
for i = 1, count do
  local s = {k = keys(i), caps = {}, w = {}, spent = {}}
  for d = 1, 8 do
    s.caps[d] = number()
  end
  for d = 1, 5 do
    s.w[d] = window()
  end
  subjects[i] = s
end
local is_over = redis.call('EXISTS', KEYS[3 * count + 1]) == 1
local is_held = false
for i, s in ipairs(subjects) do
  lapse(s.k, now, ttl)
  for d = 1, 5 do
    s.spent[d] = sum(s.k[1], SLOTS[d], s.w[d], now)
  end
  s.reserved = tonumber(redis.call('HGET', s.k[1], 'r') or 0)
  is_held = is_held or redis.call('HEXISTS', s.k[1], 'h' .. id) == 1
end

local function answer()
  local all = {0}
  for _, s in ipairs(subjects) do
    for d = 1, 5 do
      all[#all + 1] = s.spent[d]
    end
  end
  return all
end
if is_over or is_held then
  return answer()
end

-- What lasts longest is said first.
for d = 5, 1, -1 do
  for i, s in ipairs(subjects) do
    local cap = s.caps[d + 3]
    if cap and s.spent[d] >= cap then
      return {1, i, d + 3, s.spent[d], s.reserved, frees(s.k[1], SLOTS[d], s.w[d], cap)}
    end
  end
end
for i, s in ipairs(subjects) do
  local cap = s.caps[2]
  if cap and not redis.call('ZSCORE', s.k[3], session) then
    local live = redis.call('ZCARD', s.k[3])
    if live >= cap then
      local first = redis.call('ZRANGE', s.k[3], 0, 0, 'WITHSCORES')
      return {1, i, 2, live, 0, cap > 0 and tonumber(first[2]) or -1}
    end
  end
end
for i, s in ipairs(subjects) do
  local cap = s.caps[3]
  local running = cap and redis.call('ZCARD', s.k[2])
  if cap and running >= cap then
    return {1, i, 3, running, 0, -1}
  end
end
for i, s in ipairs(subjects) do
  local cap = s.caps[1]
  local asked = cap and sum(s.k[1], 'F', MINUTE, now)
  if cap and asked >= cap then
    return {1, i, 1, asked, 0, frees(s.k[1], 'F', MINUTE, cap)}
  end
end
for d = 5, 1, -1 do
  for i, s in ipairs(subjects) do
    local cap = s.caps[d + 3]
    if cap and s.spent[d] + s.reserved >= cap then
      return {1, i, d + 3, s.spent[d], s.reserved, -1}
    end
  end
end

for i, s in ipairs(subjects) do
  add(s.k[1], 'F', MINUTE, now, 1)
  redis.call('HSET', s.k[1], 'h' .. id, int(amount) .. ' ' .. session)
  redis.call('ZADD', s.k[2], int(now + lease), id)
  if amount > 0 then
    redis.call('HINCRBY', s.k[1], 'r', int(amount))
  end
  if not redis.call('ZSCORE', s.k[3], session) and redis.call('ZCARD', s.k[3]) >= MOST_SESSIONS then
    part(s.k, redis.call('ZRANGE', s.k[3], 0, 0)[1])
  end
  redis.call('ZADD', s.k[3], int(now + math.max(lease, ttl)), session)
  redis.call('HINCRBY', s.k[1], 'p' .. session, 1)
end
return answer()
