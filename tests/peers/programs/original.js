// libuv as node has it: original.js PORT. The same steps as in original_uv.py; the server tells
// what it saw of each.
const net = require("net");
const port = Number(process.argv[2]);

function connected(then) {
  const s = net.connect(port, "127.0.0.1", () => then(s));
  s.on("error", () => {});
  return s;
}

const steps = [
  // Closed with a reset.
  (next) => connected((s) => s.write("reset\n", () => setTimeout(() => {
    s.resetAndDestroy();
    next();
  }, 100))),
  // Probes of an idle connection.
  (next) => connected((s) => {
    s.setKeepAlive(true, 50000);
    s.write("keepalive\n");
    s.on("data", () => { s.destroy(); next(); });
  }),
  // Its own end first; the peer's data comes all the same.
  (next) => {
    const s = net.connect({ port, host: "127.0.0.1", allowHalfOpen: true }, () => s.end("half\n"));
    let data = "";
    s.on("data", (d) => { data += d; });
    s.on("end", () => { console.log("after the end: " + data); next(); });
  },
  // Many writes, and an end behind them.
  (next) => connected((s) => {
    s.write("order\n");
    for (let n = 1; n < 200; n++) s.write(Buffer.alloc(n * 97 % 5000 + 1, n));
    s.end();
    s.on("close", next);
    s.resume();
  }),
];

function run() {
  const step = steps.shift();
  if (step) step(run);
}
run();
