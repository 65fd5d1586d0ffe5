-- Says what a subject has spent. ARGV: now, is replaced, then for each of 5 windows the window, a number of entries, and the entries:
-- beginning and sum, or bucket and amount. Not replaced, the larger number stays. KEYS: of one subject.
local now, replaced = number(), number()
local key = KEYS[1]
for d = 1, 5 do
  local c, w, entries = SLOTS[d], window(), number()
  if replaced == 1 then
    wipe(key, c)
  end
  local before = sum(key, c, w, now)
  for _ = 1, entries do
    local at, amount = number(), number()
    local is_new = redis.call('HEXISTS', key, c .. 't') == 0
    if is_new then
      redis.call('HSET', key, c .. 't', int(w[2]), c .. 's', 0)
      redis.call('HSET', key, w[1] == 2 and c .. 'o' or c .. 'b', int(at))
      redis.call('HSET', key, c .. 'n', int(w[1] == 2 and at or 0))
      if w[1] ~= 2 then
        redis.call('HDEL', key, c .. 'n')
      end
    end
    if w[1] == 2 then
      local v = redis.call('HMGET', key, c .. 'o', c .. 'n', c .. int(at))
      redis.call('HSET', key, c .. 'o', int(math.min(at, tonumber(v[1]))), c .. 'n', int(math.max(at, tonumber(v[2]))))
      local more = amount - tonumber(v[3] or 0)
      if more > 0 then
        redis.call('HINCRBY', key, c .. int(at), int(more))
        redis.call('HINCRBY', key, c .. 's', int(more))
      end
    elseif amount > before then
      redis.call('HSET', key, c .. 's', int(amount))
    end
  end
end
return {1}
