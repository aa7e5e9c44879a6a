-- Binds an issued, unexpired link to one browser. Redis runs one script at a
-- time, so exactly one of any number of browsers wins.
--
-- KEYS[1]  the link
-- ARGV[1]  hash of the browser, 32 bytes
-- ARGV[2]  the time, Unix milliseconds
--
-- Returns id, state, expires, known, browser as they stand afterwards, or
-- nothing if there is no link under the key.

local now = tonumber(ARGV[2])
if not now or #ARGV[1] ~= 32 then
  return redis.error_reply('ERR a browser and a time are needed')
end
local link = redis.pcall('HMGET', KEYS[1], 'id', 'state', 'expires', 'known', 'browser')
if link.err then
  return false -- something else lies there: as good as unknown, and put.lua replaces it
end
local expires = tonumber(link[3])
if not link[1] or not expires then
  return false
end
if link[2] ~= 'issued' or now >= expires then
  return link
end

redis.call('HSET', KEYS[1], 'state', 'claimed', 'browser', ARGV[1])
link[2] = 'claimed'
link[5] = ARGV[1]
return link
