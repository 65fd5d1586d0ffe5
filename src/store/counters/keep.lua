-- Keeps a session or a hold alive, or ends a session. ARGV: now, what (end, renew), name, ttl, lease. KEYS: of one subject.
local now, what, name, ttl, lease = number(), take(), take(), number(), number()
local k = keys(1)
local function stay(session, till)
  local score = redis.call('ZSCORE', k[3], session)
  if score and tonumber(score) < till then
    redis.call('ZADD', k[3], int(till), session)
  end
end
lapse(k, now, ttl)
if what == 'end' then
  part(k, name)
else
  local hold = redis.call('HGET', k[1], 'h' .. name)
  if hold then
    redis.call('ZADD', k[2], int(now + lease), name)
    stay(string.match(hold, '^%S+ (%S+)$'), now + math.max(lease, ttl))
  end
end
return {1}
