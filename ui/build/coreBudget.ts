import { gzipSync } from "node:zlib";
import type { Plugin } from "vite";

/**
 * Fails the build when what a first visit to the home page downloads (the entry,
 * the home page, and everything they import statically) outgrows the budget.
 */
export function coreBudget(options: { page: string; maxKB: number }): Plugin {
  return {
    name: "core-budget",
    apply: "build",
    enforce: "post",
    generateBundle: {
      order: "post",
      handler(_, bundle) {
        const chunks = Object.values(bundle).filter((file) => file.type === "chunk");
        const roots = chunks.filter((c) => c.isEntry || c.facadeModuleId?.endsWith(options.page));
        if (!roots.some((c) => !c.isEntry)) this.error(`core budget: no chunk is built from ${options.page}`);
        const files = new Set<string>();
        const visit = (name: string) => {
          const chunk = bundle[name];
          if (files.has(name) || chunk?.type !== "chunk") return;
          files.add(name);
          chunk.viteMetadata?.importedCss.forEach((css) => files.add(css));
          chunk.imports.forEach(visit);
        };
        roots.forEach((c) => visit(c.fileName));

        const kb = (name: string) => {
          const file = bundle[name];
          if (!file) return 0;
          return gzipSync(file.type === "chunk" ? file.code : file.source).length / 1000;
        };
        const total = [...files].reduce((sum, name) => sum + kb(name), 0);
        this.info(`core: ${total.toFixed(1)} kB gzip in ${files.size} files, budget ${options.maxKB} kB`);
        if (total > options.maxKB) {
          const largest = [...files].map((name) => `${name} ${kb(name).toFixed(1)} kB`).join(", ");
          this.error(`core is ${total.toFixed(1)} kB gzip, over ${options.maxKB} kB: ${largest}`);
        }
      },
    },
  };
}
