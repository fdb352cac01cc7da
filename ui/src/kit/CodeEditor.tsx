import { lazy, Suspense } from "react";
import styles from "./CodeEditor.module.css";

export interface CodeEditorProps {
  label: string;
  value: string;
  onChange?: (value: string) => void;
  language: "yaml" | "promql";
  readOnly?: boolean;
  /** Enter in a PromQL editor, Ctrl or ⌘ Enter in any. */
  onSubmit?: () => void;
  minHeight?: number;
}

const CodeMirror = lazy(async () => ({ default: (await import("./codeMirror/CodeMirror")).CodeMirror }));

/** A text editor that knows the language; loaded when first shown, plain text until then. */
export function CodeEditor(props: CodeEditorProps) {
  return (
    <div className={styles.editor} data-read-only={props.readOnly || undefined} style={{ minHeight: props.minHeight }}>
      <Suspense fallback={<pre className={styles.plain}>{props.value}</pre>}>
        <CodeMirror {...props} />
      </Suspense>
    </div>
  );
}
