-- The load: callbacks as Exotel sends them, each of a message of its own. A script of wrk.
-- What stands behind `--` on wrk's command line: the path, and a number that no other run has.

dofile("done.lua")

local bit, ffi = require("bit"), require("ffi")
local bxor, rshift, tohex = bit.bxor, bit.rshift, bit.tohex

-- Code, status and name; so many of sixteen.
local codes = {
  { 9, 20005, "sent", "DELIVERED_TO_HANDSET" },
  { 2, 20006, "sent", "DELIVERED_TO_OPERATOR" },
  { 1, 21020, "submitted", "PENDING_ON_OPERATOR" },
  { 1, 23005, "failed-dnd", "FAILED_REJECTED_DND" },
  { 1, 23035, "failed", "FAILED_SUBSCRIBER_UNAVAILABLE" },
  { 1, 23050, "failed", "FAILED_EXPIRED" },
  { 1, 23082, "failed", "TEMPLATE_BLOCKED_BY_DLT" },
}

local threads = 0

function setup(thread)
  thread:set("thread_id", threads)
  threads = threads + 1
end

-- Everything that does not change is put together once: wrk shares the cores with what it measures.
local heads, tails, seconds, first, count = {}, {}, {}, nil, 0

function init(args)
  for _, code in ipairs(codes) do
    local tail = "&Status=" .. code[3] .. "&DetailedStatusCode=" .. code[2] .. "&DetailedStatus=" .. code[4]
      .. "&SmsUnits=1&DateSent=2026-11-21+18%3A29%3A"
    -- 32 digits of the sid, 8 of the number and of the order, 2 of the seconds.
    local length = #"SmsSid=" + 32 + #"&To=098" + 8 + #tail + 2 + #"&CustomField=order-" + 8
    local head = "POST " .. args[1] .. " HTTP/1.1\r\nHost: " .. wrk.host .. ":" .. wrk.port
      .. "\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: " .. length .. "\r\n\r\nSmsSid="
    for _ = 1, code[1] do
      heads[#heads + 1], tails[#tails + 1] = head, tail
    end
  end
  for second = 0, 59 do
    seconds[second] = string.format("%02d", second)
  end
  -- Runs and threads lie 2^32 callbacks apart.
  first = (ffi.cast("uint64_t", tonumber(args[2])) * 64 + thread_id) * 0x100000000ULL
end

-- splitmix64: no two numbers become the same one, so sids are unique by construction.
local function mix(x)
  x = bxor(x, rshift(x, 30)) * 0xbf58476d1ce4e5b9ULL
  x = bxor(x, rshift(x, 27)) * 0x94d049bb133111ebULL
  return bxor(x, rshift(x, 31))
end

function request()
  count = count + 1
  local high = mix(first + count)
  local low = mix(high)
  local kind = count % 16 + 1
  local digits = tohex(high)
  return heads[kind] .. digits .. tohex(low) .. "&To=098" .. string.format("%08d", count % 100000000)
    .. tails[kind] .. seconds[count % 60] .. "&CustomField=order-" .. digits:sub(1, 8)
end
