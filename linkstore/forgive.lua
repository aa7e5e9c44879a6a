-- Gives one try back to a bucket of allow.lua, which never gets fuller than
-- full.
--
-- KEYS[1]  the bucket
-- ARGV[1]  the time, Unix microseconds
-- ARGV[2]  microseconds until one try comes back by itself
-- ARGV[3]  tries that the full bucket holds
--
-- Returns 1, or 0 if the bucket is full without it.

local now, interval, tries = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
if not now or not interval or not tries or interval < 1 or tries < 1 then
  return redis.error_reply('ERR a time, an interval and a count are needed')
end
local stored = redis.pcall('GET', KEYS[1])
local full = type(stored) == 'string' and tonumber(stored)
if not full or full ~= full or full <= now then
  return 0 -- nothing was taken, or nothing of it is left
end
full = math.min(full, now + interval * tries) - interval

if full <= now then
  redis.call('DEL', KEYS[1])
else
  redis.call('SET', KEYS[1], string.format('%.0f', full), 'PX', math.ceil((full - now) / 1000))
end
return 1
