-- What one subject uses: requests in the minute, sessions, requests under way, money of five windows, money reserved, and when each of
-- the eight is free again, were it the limit.
-- ARGV: now, ttl, 5 windows.
local now, ttl = number(), number()
local k = keys(1)
lapse(k, now, ttl)
local all = {sum(k[1], 'F', MINUTE, now), redis.call('ZCARD', k[3]), redis.call('ZCARD', k[2])}
for d = 1, 5 do
  local w = window()
  all[3 + d] = sum(k[1], SLOTS[d], w, now)
  all[9 + d] = frees(k[1], SLOTS[d], w, all[3 + d])
end
all[9] = tonumber(redis.call('HGET', k[1], 'r') or 0)
return all
