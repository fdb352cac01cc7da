import type { Revision } from "@/api/types";

/** A revision as people call it: by its version, with the number that makes it sure. */
export const revisionName = ({ version, revision }: Pick<Revision, "version" | "revision">) =>
  version ? `${version} (revision ${revision})` : `revision ${revision}`;
