-- Questions: the paths of a file, in the order of the file.
-- A script of wrk; behind `--` stands the file, which has them in random order.

dofile("done.lua")

local requests, count = {}, 0

function init(args)
  for path in io.lines(args[1]) do
    requests[#requests + 1] = wrk.format("GET", path)
  end
end

function request()
  count = count + 1
  return requests[count % #requests + 1]
end
