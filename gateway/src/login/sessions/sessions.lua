#!lua name=techpotli_sessions

-- A session and the claim on renewing it, in one slot; the claim's owner, the renewed session, its milliseconds.
-- 1, or 0 where the session has ended meanwhile.
local function renew(keys, arguments)
  local stored = redis.call('SET', keys[1], arguments[2], 'XX', 'PX', arguments[3])
  if redis.call('GET', keys[2]) == arguments[1] then
    redis.call('DEL', keys[2])
  end
  return stored and 1 or 0
end

-- A claim, and its owner.
local function let_go(keys, arguments)
  if redis.call('GET', keys[1]) == arguments[1] then
    return redis.call('DEL', keys[1])
  end
  return 0
end

redis.register_function('techpotli_renew_session', renew)
redis.register_function('techpotli_let_go_session', let_go)
