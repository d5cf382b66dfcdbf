-- Questions: what became of a message, out of a file of stored sids, in the order of the file.
-- A script of wrk; behind `--` stands the file, which has the sids in random order.

dofile("done.lua")

local requests, count = {}, 0

function init(args)
  for sid in io.lines(args[1]) do
    requests[#requests + 1] = wrk.format("GET", "/messages/" .. sid)
  end
end

function request()
  count = count + 1
  return requests[count % #requests + 1]
end
