import { autocompletion, closeBrackets, closeBracketsKeymap, completionKeymap } from "@codemirror/autocomplete";
import { defaultKeymap, history, historyKeymap, indentWithTab } from "@codemirror/commands";
import { bracketMatching, indentOnInput } from "@codemirror/language";
import { search, searchKeymap } from "@codemirror/search";
import { EditorState, type Extension } from "@codemirror/state";
import { EditorView, keymap, lineNumbers } from "@codemirror/view";
import { useEffect, useRef } from "react";
import type { CodeEditorProps } from "../CodeEditor";
import { look } from "./look";

type Language = CodeEditorProps["language"];

async function loadLanguage(language: Language): Promise<Extension> {
  if (language === "yaml") return (await import("@codemirror/lang-yaml")).yaml();
  return (await import("./promql")).promql();
}

/** Enter sends a PromQL expression; a new line is Shift Enter there. */
function submitKeys(language: Language, submit: () => void): Extension {
  const run = () => {
    submit();
    return true;
  };
  return keymap.of([{ key: "Mod-Enter", run }, ...(language === "promql" ? [{ key: "Enter", run }] : [])]);
}

export function CodeMirror({ label, value, onChange, language, readOnly = false, onSubmit }: CodeEditorProps) {
  const parent = useRef<HTMLDivElement>(null);
  const view = useRef<EditorView>(null);
  const latest = useRef({ value, onChange, onSubmit });
  useEffect(() => {
    latest.current = { value, onChange, onSubmit };
  });

  useEffect(() => {
    let gone = false;
    void loadLanguage(language).then((extension) => {
      if (gone || !parent.current) return;
      const small = language === "promql";
      view.current = new EditorView({
        parent: parent.current,
        doc: latest.current.value,
        extensions: [
          // Completion's own Enter comes first while its list is open.
          autocompletion(),
          keymap.of(completionKeymap),
          submitKeys(language, () => latest.current.onSubmit?.()),
          keymap.of([...closeBracketsKeymap, ...defaultKeymap, ...searchKeymap, ...historyKeymap, ...(small ? [] : [indentWithTab])]),
          history(),
          closeBrackets(),
          bracketMatching(),
          indentOnInput(),
          search({ top: true }),
          small ? EditorView.lineWrapping : lineNumbers(),
          EditorState.readOnly.of(readOnly),
          EditorView.contentAttributes.of({ "aria-label": label }),
          EditorView.updateListener.of((update) => {
            if (update.docChanged) latest.current.onChange?.(update.state.doc.toString());
          }),
          look,
          extension,
        ],
      });
    });
    return () => {
      gone = true;
      view.current?.destroy();
      view.current = null;
    };
  }, [label, language, readOnly]);

  // A value set from outside replaces the text; the text's own changes arrive here already equal.
  useEffect(() => {
    const editor = view.current;
    if (!editor || editor.state.doc.toString() === value) return;
    editor.dispatch({ changes: { from: 0, to: editor.state.doc.length, insert: value } });
  }, [value]);

  return <div ref={parent} />;
}
