-- Takes one try from a bucket, by the generic cell rate algorithm (ITU-T
-- I.371): the one number kept is the time at which the bucket is full again.
--
-- KEYS[1]  the bucket
-- ARGV[1]  the time, Unix microseconds
-- ARGV[2]  microseconds until one try comes back
-- ARGV[3]  tries that the full bucket holds
--
-- Returns 0 if the try is allowed, else microseconds until the next one is.

local now, interval, tries = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
if not now or not interval or not tries or interval < 1 or tries < 1 then
  return redis.error_reply('ERR a time, an interval and a count are needed')
end
local window = interval * tries
local stored = redis.pcall('GET', KEYS[1])
local full = type(stored) == 'string' and tonumber(stored) or now
-- NaN and what a machine with a fast clock wrote must not lock anyone out
-- for longer than the window.
if full ~= full or full < now then
  full = now
elseif full > now + window then
  full = now + window
end
full = full + interval
if full > now + window then
  return full - window - now
end

redis.call('SET', KEYS[1], string.format('%.0f', full), 'PX', math.ceil((full - now) / 1000))
return 0
