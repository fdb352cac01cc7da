import type { Revision } from "@/api/types";
import { CodeEditor } from "@/kit/CodeEditor";
import { Apply } from "./Apply";
import styles from "./WorkloadPage.module.css";

/** What should run, as it was applied. */
export function Manifest({ revision, editable }: { revision?: Revision; editable: boolean }) {
  if (!revision) return null;
  return (
    <div className={styles.panel}>
      <CodeEditor label={`Manifest of revision ${revision.revision}`} language="yaml" value={revision.manifest} readOnly />
      {editable && <Apply key={revision.revision} manifest={revision.manifest} label="Edit and deploy" />}
    </div>
  );
}
