// What empty pages give to copy. The files beside this one are an operations directory that `daytwo check` accepts, proved by a script.

import catalog from "./daytwo.yml?raw";
import prometheus from "./prometheus.yml?raw";
import rules from "./rules/orders.yml?raw";
import manifest from "./workloads/checkout.yaml?raw";

/** The part of daytwo.yml from one of its keys to the next of the same depth. */
function part(key: string): string {
  const lines = catalog.split("\n");
  const start = lines.findIndex((line) => line.trimStart() === `${key}:`);
  const depth = lines[start]?.search(/\S/) ?? 0;
  const length = lines.slice(start + 1).findIndex((line) => line.trim() === "" || line.search(/\S/) <= depth);
  return lines
    .slice(start, length < 0 ? undefined : start + 1 + length)
    .map((line) => line.slice(depth))
    .join("\n")
    .trimEnd();
}

export const wholeCatalog = catalog.trimEnd();
export const escalationPolicies = part("escalation_policies");
export const ruleFile = `# prometheus.yml\n${prometheus}\n# rules/orders.yml\n${rules.trimEnd()}`;
export const exampleManifest = manifest;

/** Objectives of a service, by its name. */
export const objectivesOf = (service: string) => part("slos").replaceAll("checkout", service);
