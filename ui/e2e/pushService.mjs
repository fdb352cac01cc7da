// A push service on this machine, and a browser's half of a subscription: keys, and reading what was sent (RFC 8291).

import { createDecipheriv, createECDH, createHmac, randomBytes } from "node:crypto";
import { createServer } from "node:http";

/** Starts it; `next()` is the next message that arrives, decrypted. */
export async function startPushService() {
  const keys = createECDH("prime256v1");
  const publicKey = keys.generateKeys();
  const auth = randomBytes(16);
  const messages = [];
  const waiting = [];
  const server = createServer((request, response) => {
    const chunks = [];
    request.on("data", (chunk) => chunks.push(chunk));
    request.on("end", () => {
      response.writeHead(201).end();
      const message = { headers: request.headers, data: decrypt(Buffer.concat(chunks), keys, auth) };
      const wanted = waiting.shift();
      if (wanted) wanted(message);
      else messages.push(message);
    });
  });
  await new Promise((done) => server.listen(0, "127.0.0.1", done));
  return {
    subscription: {
      endpoint: `http://127.0.0.1:${server.address().port}/push/1`,
      keys: { p256dh: publicKey.toString("base64url"), auth: auth.toString("base64url") },
    },
    next: () => (messages.length > 0 ? Promise.resolve(messages.shift()) : new Promise((done) => waiting.push(done))),
    stop: () => new Promise((done) => server.close(done)),
  };
}

const hmac = (key, ...parts) => createHmac("sha256", key).update(Buffer.concat(parts)).digest();
/** HKDF of at most 32 bytes. */
const derive = (secret, salt, info, length) => hmac(hmac(salt, secret), info, Buffer.from([1])).subarray(0, length);

function decrypt(body, keys, auth) {
  const salt = body.subarray(0, 16);
  const sender = body.subarray(21, 21 + body[20]);
  const record = body.subarray(21 + body[20]);
  const info = Buffer.concat([Buffer.from("WebPush: info\0"), keys.getPublicKey(), sender]);
  const ikm = derive(keys.computeSecret(sender), auth, info, 32);
  const key = derive(ikm, salt, Buffer.from("Content-Encoding: aes128gcm\0"), 16);
  const nonce = derive(ikm, salt, Buffer.from("Content-Encoding: nonce\0"), 12);
  const open = createDecipheriv("aes-128-gcm", key, nonce);
  open.setAuthTag(record.subarray(-16));
  const text = Buffer.concat([open.update(record.subarray(0, -16)), open.final()]);
  return text.subarray(0, text.lastIndexOf(2)).toString();
}
