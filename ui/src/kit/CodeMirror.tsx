import { autocompletion, closeBrackets, closeBracketsKeymap, completionKeymap } from "@codemirror/autocomplete";
import { defaultKeymap, history, historyKeymap } from "@codemirror/commands";
import { bracketMatching, foldGutter, indentUnit, syntaxHighlighting } from "@codemirror/language";
import { lintKeymap } from "@codemirror/lint";
import { highlightSelectionMatches, searchKeymap } from "@codemirror/search";
import { Compartment, EditorState, Prec, type Extension } from "@codemirror/state";
import { EditorView, keymap, lineNumbers, placeholder as placeholderText } from "@codemirror/view";
import { useEffect, useRef } from "react";
import type { CodeEditorProps, CodeLanguage } from "./CodeEditor";
import styles from "./CodeEditor.module.css";
import { codeColours, codeTheme } from "./codeTheme";

/** Each grammar is a chunk of its own. */
async function grammar(language: CodeLanguage): Promise<Extension> {
  switch (language) {
    case "yaml":
      return (await import("@codemirror/lang-yaml")).yaml();
    case "promql":
      return (await import("./promqlLanguage")).promql();
    case "text":
      return [];
  }
}

/** CodeMirror as a controlled field. Tab leaves it: the keyboard is never trapped. */
export function CodeMirror(props: CodeEditorProps) {
  const { label, value, language, placeholder, singleLine, autoFocus, describedBy, maxLines } = props;
  const host = useRef<HTMLDivElement>(null);
  const view = useRef<EditorView>(undefined);
  const latest = useRef(props);
  useEffect(() => {
    latest.current = props;
  });
  const readOnly = props.onChange === undefined;

  useEffect(() => {
    if (!host.current) return;
    const languageSlot = new Compartment();
    const submit = () => {
      latest.current.onSubmit?.();
      return latest.current.onSubmit !== undefined;
    };
    const editor = new EditorView({
      parent: host.current,
      state: EditorState.create({
        doc: latest.current.value,
        extensions: [
          Prec.highest(keymap.of([{ key: "Mod-Enter", run: submit }])),
          keymap.of([...closeBracketsKeymap, ...completionKeymap, ...searchKeymap, ...historyKeymap, ...lintKeymap]),
          singleLine ? keymap.of([{ key: "Enter", run: submit }]) : [lineNumbers(), foldGutter()],
          keymap.of(defaultKeymap),
          history(),
          autocompletion(),
          closeBrackets(),
          bracketMatching(),
          highlightSelectionMatches(),
          indentUnit.of("  "),
          EditorView.lineWrapping,
          EditorView.contentAttributes.of({ "aria-label": label, ...(describedBy ? { "aria-describedby": describedBy } : {}) }),
          placeholder ? placeholderText(placeholder) : [],
          readOnly ? [EditorState.readOnly.of(true)] : [],
          EditorView.updateListener.of((update) => {
            if (update.docChanged) latest.current.onChange?.(update.state.doc.toString());
          }),
          codeTheme,
          syntaxHighlighting(codeColours),
          languageSlot.of([]),
        ],
      }),
    });
    view.current = editor;
    if (autoFocus) editor.focus();
    let gone = false;
    void grammar(language).then((extension) => {
      if (!gone) editor.dispatch({ effects: languageSlot.reconfigure(extension) });
    });
    return () => {
      gone = true;
      editor.destroy();
      view.current = undefined;
    };
  }, [label, language, placeholder, singleLine, autoFocus, describedBy, readOnly]);

  // A value set from outside (a link, a reset) replaces the text; the reader's own typing is already there.
  useEffect(() => {
    const editor = view.current;
    if (!editor || editor.state.doc.toString() === value) return;
    editor.dispatch({ changes: { from: 0, to: editor.state.doc.length, insert: value } });
  }, [value]);

  return <div ref={host} className={styles.editor} style={maxLines ? { maxHeight: maxLines * 20 + 10 } : undefined} />;
}
