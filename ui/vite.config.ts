import { fileURLToPath } from "node:url";
import react from "@vitejs/plugin-react";
import { defineConfig } from "vitest/config";
import { coreBudget } from "./build/coreBudget.ts";

// `npm run dev` shows the screen of a running server: DAYTWO_URL, by default the default listener.
const server = process.env.DAYTWO_URL ?? "http://127.0.0.1:2020";
const proxy = Object.fromEntries(
  ["/api", "/prometheus", "/-/", "/status/"].map((prefix) => [prefix, { target: server, changeOrigin: true }]),
);

export default defineConfig({
  plugins: [react(), coreBudget({ page: "/src/pages/home/HomePage.tsx", maxKB: 300 })],
  resolve: { alias: { "@": fileURLToPath(new URL("./src", import.meta.url)) } },
  server: { host: "127.0.0.1", proxy },
  build: {
    target: "es2023",
    modulePreload: { polyfill: false },
    chunkSizeWarningLimit: 700,
    rolldownOptions: {
      output: {
        // What most pages share comes in few files: a phone far away pays for each of them.
        codeSplitting: {
          groups: [
            { name: "vendor", test: /node_modules\/(?!uplot|@codemirror|@lezer|@marijn|@prometheus-io|crelt|lru-cache|style-mod|w3c-keyname)/ },
            { name: "kit", test: /\/src\/(?:api|kit)\/[^/]+$/ },
          ],
        },
      },
    },
  },
  test: { include: ["src/**/*.test.ts"], environment: "node" },
});
