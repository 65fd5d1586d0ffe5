-- The state of a subject: what every step of the counters shares. The same rules in Rust: account.rs.
--
-- KEYS, three a subject: a hash, the sorted set of holds by the end of their lease, the sorted set of sessions by their end.
-- Fields of the hash: r money reserved; h<id> a hold, "amount session"; p<session> holds of a session; c<session> it was worth a
-- request. A slot (A to E money, F requests): <slot>t definition, <slot>s sum, <slot>b beginning, <slot>o and <slot>n oldest and newest bucket,
-- <slot><number> a bucket. A window is {kind, definition, a, b}: 0 fixed (start, end), 1 begins when spent (length), 2 rolling (bucket, count).
local SLOTS = {'A', 'B', 'C', 'D', 'E'}
local MINUTE = {2, 1, 1000, 60}
local MOST_SESSIONS = 10000

local function int(x)
  return string.format('%.0f', x)
end

local function wipe(key, c)
  local v = redis.call('HMGET', key, c .. 'o', c .. 'n')
  local f = {c .. 't', c .. 's', c .. 'b', c .. 'o', c .. 'n'}
  if v[1] and v[2] then
    for i = tonumber(v[1]), tonumber(v[2]) do
      f[#f + 1] = c .. int(i)
    end
  end
  redis.call('HDEL', key, unpack(f))
end

-- The sum of a slot. What is over is taken out first.
local function sum(key, c, w, now)
  local v = redis.call('HMGET', key, c .. 't', c .. 's', c .. 'b', c .. 'o', c .. 'n')
  if not v[1] then
    return 0
  end
  local is_over = tonumber(v[1]) ~= w[2]
  if not is_over and w[1] == 0 then
    is_over = tonumber(v[3]) < w[3]
  elseif not is_over and w[1] == 1 then
    is_over = now >= tonumber(v[3]) + w[3]
  elseif not is_over then
    local cut = math.floor(now / w[3]) - w[4]
    local o, n = tonumber(v[4]), tonumber(v[5])
    is_over = n < cut
    if not is_over and o < cut then
      local f = {}
      for i = o, cut - 1 do
        f[#f + 1] = c .. int(i)
      end
      local total = tonumber(v[2])
      for _, x in ipairs(redis.call('HMGET', key, unpack(f))) do
        if x then
          total = total - tonumber(x)
        end
      end
      redis.call('HDEL', key, unpack(f))
      redis.call('HSET', key, c .. 'o', int(cut), c .. 's', int(total))
      return total
    end
  end
  if is_over then
    wipe(key, c)
    return 0
  end
  return tonumber(v[2])
end

local function add(key, c, w, now, amount)
  if amount <= 0 then
    return
  end
  sum(key, c, w, now)
  local is_new = redis.call('HEXISTS', key, c .. 't') == 0
  if w[1] == 2 then
    local i = math.floor(now / w[3])
    if is_new then
      redis.call('HSET', key, c .. 't', int(w[2]), c .. 'o', int(i))
    else
      i = math.max(i, tonumber(redis.call('HGET', key, c .. 'n')))
    end
    redis.call('HSET', key, c .. 'n', int(i))
    redis.call('HINCRBY', key, c .. int(i), int(amount))
  elseif is_new then
    redis.call('HSET', key, c .. 't', int(w[2]), c .. 'b', int(w[1] == 0 and w[3] or now))
  end
  redis.call('HINCRBY', key, c .. 's', int(amount))
end

-- When the sum falls below the limit by itself; -1 when it does not.
local function frees(key, c, w, limit)
  if limit <= 0 then
    return -1
  end
  if w[1] == 0 then
    return w[4]
  end
  local v = redis.call('HMGET', key, c .. 's', c .. 'b', c .. 'o', c .. 'n')
  if not v[1] then
    return -1
  end
  if w[1] == 1 then
    return tonumber(v[2]) + w[3]
  end
  local total = tonumber(v[1])
  for i = tonumber(v[3]), tonumber(v[4]) do
    total = total - tonumber(redis.call('HGET', key, c .. int(i)) or 0)
    if total < limit then
      return (i + 1 + w[4]) * w[3]
    end
  end
  return -1
end

-- Ends a hold. A session stays when a request of it was worth something.
local function drop(k, id, keeps, now, ttl)
  local hold = redis.call('HGET', k[1], 'h' .. id)
  if not hold then
    return
  end
  local amount, session = string.match(hold, '^(%S+) (%S+)$')
  redis.call('HDEL', k[1], 'h' .. id)
  redis.call('ZREM', k[2], id)
  if amount ~= '0' then
    redis.call('HINCRBY', k[1], 'r', '-' .. amount)
  end
  if not redis.call('ZSCORE', k[3], session) then
    return
  end
  local left = redis.call('HINCRBY', k[1], 'p' .. session, -1)
  if keeps and session ~= id then
    redis.call('HSET', k[1], 'c' .. session, 1)
  end
  if left <= 0 then
    redis.call('HDEL', k[1], 'p' .. session)
    if redis.call('HEXISTS', k[1], 'c' .. session) == 1 then
      redis.call('ZADD', k[3], int(now + ttl), session)
    else
      redis.call('ZREM', k[3], session)
    end
  end
end

local function part(k, session)
  redis.call('HDEL', k[1], 'p' .. session, 'c' .. session)
  redis.call('ZREM', k[3], session)
end

-- Ends what a lost node has left behind, and sessions nobody used.
local function lapse(k, now, ttl)
  for _, id in ipairs(redis.call('ZRANGEBYSCORE', k[2], '-inf', int(now))) do
    drop(k, id, false, now, ttl)
  end
  for _, session in ipairs(redis.call('ZRANGEBYSCORE', k[3], '-inf', int(now))) do
    part(k, session)
  end
end

local cursor = 0
local function take()
  cursor = cursor + 1
  return ARGV[cursor]
end
local function number()
  return tonumber(take())
end
local function window()
  return {number(), number(), number(), number()}
end
local function keys(i)
  return {KEYS[3 * i - 2], KEYS[3 * i - 1], KEYS[3 * i]}
end
