#!lua name=techpotli_cache

-- A value and the claim on loading it, in one slot. The caller's name, the milliseconds of a claim, and how many times
-- longer than the value took to load it must have left: drawn by chance, so that of many callers one comes early.
-- {the value or false, 1 where the caller is to load it}
local function look(keys, arguments)
  local known = redis.call('HMGET', keys[1], 'value', 'took')
  if known[1] then
    local left = redis.call('PTTL', keys[1])
    if left < 0 or tonumber(known[2]) * tonumber(arguments[3]) < left then
      return {known[1], 0}
    end
  end
  local claimed = redis.call('SET', keys[2], arguments[1], 'NX', 'PX', arguments[2])
  return {known[1], claimed and 1 or 0}
end

-- Likewise; the caller's name, the value, the milliseconds that it took to load and for which it is kept.
local function put(keys, arguments)
  redis.call('HSET', keys[1], 'value', arguments[2], 'took', arguments[3])
  redis.call('PEXPIRE', keys[1], arguments[4])
  if redis.call('GET', keys[2]) == arguments[1] then
    redis.call('DEL', keys[2])
  end
  return 1
end

-- A claim, and its owner, who has nothing to put.
local function let_go(keys, arguments)
  if redis.call('GET', keys[1]) == arguments[1] then
    return redis.call('DEL', keys[1])
  end
  return 0
end

redis.register_function('techpotli_cache_look', look)
redis.register_function('techpotli_cache_put', put)
redis.register_function('techpotli_cache_let_go', let_go)
