#!lua name=techpotli_endings

-- One stream; its session, the microsecond of its end, and for how many milliseconds that matters.
local function tell(keys, arguments)
  local time = redis.call('TIME')
  local oldest = time[1] * 1000 + math.floor(time[2] / 1000) - tonumber(arguments[3])
  redis.call('XADD', keys[1], '*', 'session', arguments[1], 'at', arguments[2])
  redis.call('XTRIM', keys[1], 'MINID', string.format('%.0f', math.max(0, oldest)))
  redis.call('PEXPIRE', keys[1], arguments[3])
  return 1
end

redis.register_function('techpotli_tell_ending', tell)
