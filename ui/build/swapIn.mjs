// Puts a finished build in the place of the old one, so that nobody (a concurrent `go build` least of all) finds half of one.

import { renameSync, rmSync } from "node:fs";

const [finished, place] = process.argv.slice(2);
if (!finished || !place) throw new Error("usage: swapIn.mjs FINISHED PLACE");
const old = `${place}.old`;

rmSync(old, { recursive: true, force: true });
try {
  renameSync(place, old);
} catch (error) {
  if (error.code !== "ENOENT") throw error; // The first build has nothing to replace.
}
renameSync(finished, place);
rmSync(old, { recursive: true, force: true });
