// The real binary on a directory that is thrown away: telling its story, or serving an operations directory.

import { spawn } from "node:child_process";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const binary = process.env.DAYTWO_BIN ?? fileURLToPath(new URL("../../bin/daytwo", import.meta.url));

/** Starts the demo; resolves when it has printed its sign-in link. */
export async function startDemo() {
  const data = await mkdtemp(join(tmpdir(), "daytwo-e2e-"));
  const port = await freePort();
  return startBinary(["demo", "--listen", `127.0.0.1:${port}`, "--data", join(data, "demo"), "--fresh"], { data, port });
}

/** Starts a server on files, named by their path in the operations directory; resolves when it has printed its sign-in link. */
export async function startServer(files) {
  const data = await mkdtemp(join(tmpdir(), "daytwo-e2e-"));
  const port = await freePort();
  const ops = join(data, "ops");
  for (const [name, text] of Object.entries(files)) {
    await mkdir(dirname(join(ops, name)), { recursive: true });
    await writeFile(join(ops, name), text);
  }
  const args = ["serve", "--listen", `127.0.0.1:${port}`, "--data", join(data, "data"), "--config", ops, "--otlp-listener", "off"];
  return startBinary(args, { data, port });
}

async function startBinary(args, { data, port }) {
  const child = spawn(binary, args, { stdio: ["ignore", "pipe", "pipe"] });
  process.once("exit", () => child.kill("SIGKILL"));
  for (const signal of ["SIGINT", "SIGTERM"]) process.once(signal, () => process.exit(1));
  let output = "";
  const ended = new Promise((done) => {
    child.on("error", (error) => done(error.message));
    child.on("exit", (code, signal) => done(`exit ${code ?? signal}`));
  });
  const link = await new Promise((resolve, reject) => {
    const read = (chunk) => {
      output += chunk;
      const found = /http:\/\/\S+\/sign-in\?token=\S+/.exec(output);
      if (found) resolve(found[0]);
    };
    child.stdout.setEncoding("utf8").on("data", read);
    child.stderr.setEncoding("utf8").on("data", read);
    void ended.then((how) => reject(new Error(`${binary} ${args[0]} ended before it printed a link: ${how}\n${output}`)));
  });
  return {
    url: `http://127.0.0.1:${port}`,
    link,
    async stop() {
      child.kill("SIGTERM");
      const how = await ended;
      await rm(data, { recursive: true, force: true });
      return how;
    },
    output: () => output,
  };
}

/** A port of this machine that nobody has. */
export function freePort() {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.on("error", reject);
    server.listen(0, "127.0.0.1", () => {
      const { port } = server.address();
      server.close(() => resolve(port));
    });
  });
}
