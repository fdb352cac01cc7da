import { lazy, Suspense } from "react";
import styles from "./CodeEditor.module.css";

export type CodeLanguage = "promql" | "yaml" | "text";

export interface CodeEditorProps {
  /** Names the field for those who do not see it. */
  label: string;
  value: string;
  language: CodeLanguage;
  /** Without it the text can be read and copied only. */
  onChange?: (value: string) => void;
  /** Runs on Ctrl+Enter, and on Enter where `singleLine`. */
  onSubmit?: () => void;
  singleLine?: boolean;
  placeholder?: string;
  autoFocus?: boolean;
  /** The element that says what is wrong with the value. */
  describedBy?: string;
  /** Height in lines before it scrolls. */
  maxLines?: number;
}

// The editor is heavy: it comes when a page shows one, and the plain text stands in until then.
const CodeMirror = lazy(async () => ({ default: (await import("./CodeMirror")).CodeMirror }));

export function CodeEditor(props: CodeEditorProps) {
  return (
    <Suspense fallback={<pre className={styles.waiting}>{props.value || " "}</pre>}>
      <CodeMirror {...props} />
    </Suspense>
  );
}
