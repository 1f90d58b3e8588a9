-- LuaSocket itself: original.lua PORT DEAD_PORT. The same steps as in original_lua.py.
local socket = require("socket")
local port, dead = tonumber(arg[1]), tonumber(arg[2])

local function text(value)
    return math.type(value) and string.format("%d", value) or tostring(value)
end

local function show(what, value, err, partial)
    print(what, text(value), text(err), text(partial))
end

local c = socket.tcp4()
show("refused", c:connect("127.0.0.1", dead))
c:close()

c = socket.tcp4()
show("connect", c:connect("127.0.0.1", port))
show("line", c:receive())
show("empty line", c:receive("*l"))
show("count", c:receive(5))
show("prefix", c:receive(5, "ab"))
show("long prefix", c:receive(2, "abc"))
show("line with prefix", c:receive("*l", "zz"))
c:settimeout(0)
show("nothing", c:receive(4))
c:settimeout(0.15)
show("sent", c:send("part\n"))
show("partial count", c:receive(10))
show("sent", c:send("line\n"))
show("partial line", c:receive())
c:settimeout(2)
show("sent", c:send("xwhole\ny", 2, -2))
show("resumed", c:receive(10, "half"))
show("send of nothing", c:send("abc", 3, 2))
local received, sent = c:getstats()
show("stats", received, sent)
c:setstats(1, 2, 3)
received, sent = c:getstats()
show("set stats", received, sent)
show("shutdown", c:shutdown("send"))
show("all", c:receive("*a"))
show("all again", c:receive("*a"))
show("line at the end", c:receive())
show("count at the end", c:receive(3))
c:close()
show("close", c:close())

c = socket.tcp4()
show("no timeouts", c:gettimeout())
c:settimeout(2)
c:settimeout(3, "t")
show("timeouts", c:gettimeout())
for _, name in ipairs({"tcp-nodelay", "keepalive", "reuseaddr"}) do
    for _, value in ipairs({true, false}) do
        show("set " .. name, c:setoption(name, value))
        show("get " .. name, c:getoption(name))
    end
end
for _, given in ipairs({{on = true, timeout = 5}, {on = false, timeout = 0}}) do
    show("set linger", c:setoption("linger", given))
    local found = c:getoption("linger")
    show("get linger", found.on, found.on and found.timeout)
end
show("get error", c:getoption("error"))
if not pcall(c.setoption, c, "nonsense", true) then
    show("nonsense", "is refused")
end
if not pcall(c.receive, c, "*x") then
    show("pattern", "is refused")
end
c:close()
