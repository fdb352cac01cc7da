// Answers SQL: one JSON object with a member sql a line in, one with the answer,
// its wall and CPU milliseconds and the peak of memory out.
const { Session } = require("chdb");
const readline = require("readline");
const fs = require("fs");

const session = new Session(process.argv[2]);
const lines = readline.createInterface({ input: process.stdin });
lines.on("line", (line) => {
  const { sql, format } = JSON.parse(line);
  const cpu = process.cpuUsage();
  const start = process.hrtime.bigint();
  let answer = "";
  let error = "";
  try {
    answer = session.query(sql, format || "TSV");
  } catch (e) {
    error = String(e);
  }
  const wall = Number(process.hrtime.bigint() - start) / 1e6;
  const used = process.cpuUsage(cpu);
  const peak = Number(/VmHWM:\s+(\d+)/.exec(fs.readFileSync("/proc/self/status", "utf8"))[1]) * 1024;
  process.stdout.write(JSON.stringify({ answer, error, wall, cpu: (used.user + used.system) / 1000, peak }) + "\n");
});
lines.on("close", () => process.exit(0));
