// A real web server, for the log that it writes.

import { spawn } from "node:child_process";
import { accessSync, constants } from "node:fs";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { freePort } from "./server.mjs";

/** Where nginx is, as test/setup unpacks it or as the machine has it; undefined if it is nowhere. */
export function findNginx() {
  const unpacked = fileURLToPath(new URL("../../.cache/nginx/usr/sbin/nginx", import.meta.url));
  return [process.env.NGINX, unpacked, "/usr/sbin/nginx"].find((path) => {
    try {
      accessSync(path, constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}

const config = (port) => `daemon off; master_process off; pid nginx.pid; error_log error.log;
events { worker_connections 64; }
http {
  access_log access.log combined;
  client_body_temp_path body; proxy_temp_path proxy; fastcgi_temp_path fastcgi; uwsgi_temp_path uwsgi; scgi_temp_path scgi;
  types { text/html html; }
  server {
    listen 127.0.0.1:${port};
    root html;
    location = /favicon.ico { access_log off; return 204; }
    location = /cart { return 503; }
  }
}
`;

/** A shop whose cart fails. Its log is at `log`. */
export async function startNginx(binary) {
  const folder = await mkdtemp(join(tmpdir(), "daytwo-nginx-"));
  const port = await freePort();
  await mkdir(join(folder, "html"));
  await writeFile(join(folder, "html", "index.html"), "<title>Shop</title><h1>Shop</h1>");
  await writeFile(join(folder, "nginx.conf"), config(port));
  const child = spawn(binary, ["-p", folder, "-c", "nginx.conf", "-e", "error.log"], { stdio: ["ignore", "ignore", "pipe"] });
  process.once("exit", () => child.kill("SIGKILL"));
  let said = "";
  child.stderr.setEncoding("utf8").on("data", (chunk) => (said += chunk));
  const ended = new Promise((done) => child.on("exit", done));
  const url = `http://127.0.0.1:${port}`;
  for (let tries = 0; ; tries++) {
    try {
      await fetch(`${url}/favicon.ico`);
      break;
    } catch (error) {
      if (tries > 100 || child.exitCode !== null) throw new Error(`nginx does not answer: ${said || error}`);
      await new Promise((done) => setTimeout(done, 50)); // between tries of a real process
    }
  }
  return {
    url,
    log: join(folder, "access.log"),
    async stop() {
      child.kill("SIGTERM");
      await ended;
      await rm(folder, { recursive: true, force: true });
    },
  };
}
