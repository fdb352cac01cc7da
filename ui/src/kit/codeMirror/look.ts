import { HighlightStyle, syntaxHighlighting } from "@codemirror/language";
import { EditorView } from "@codemirror/view";
import { tags } from "@lezer/highlight";

const colours = HighlightStyle.define([
  { tag: [tags.keyword, tags.operatorKeyword, tags.modifier], color: "var(--fault)" },
  { tag: [tags.string, tags.special(tags.string)], color: "var(--good)" },
  { tag: [tags.number, tags.bool, tags.null], color: "var(--warning)" },
  { tag: [tags.propertyName, tags.labelName, tags.function(tags.variableName)], color: "var(--info)" },
  { tag: tags.comment, color: "var(--neutral)", fontStyle: "italic" },
  { tag: tags.invalid, color: "var(--critical)" },
]);

const theme = EditorView.theme({
  "&": { fontSize: "12.5px", color: "var(--mantine-color-text)" },
  "&.cm-focused": { outline: "none" },
  ".cm-scroller": { fontFamily: "var(--mantine-font-family-monospace)", lineHeight: "18px" },
  ".cm-content": { padding: "6px 0", caretColor: "var(--mantine-color-text)" },
  ".cm-line": { padding: "0 10px" },
  ".cm-cursor": { borderLeftColor: "var(--mantine-color-text)" },
  ".cm-gutters": { background: "transparent", color: "var(--neutral)", borderRight: "1px solid var(--hairline)" },
  "&.cm-focused .cm-selectionBackground, .cm-selectionBackground, ::selection": { background: "var(--selected) !important" },
  ".cm-tooltip, .cm-panels": {
    background: "var(--raised)",
    color: "var(--mantine-color-text)",
    border: "1px solid var(--mantine-color-default-border)",
    borderRadius: "4px",
  },
  ".cm-tooltip-autocomplete > ul > li": { padding: "2px 8px !important" },
  ".cm-tooltip-autocomplete > ul > li[aria-selected]": {
    background: "var(--selected) !important",
    color: "var(--mantine-color-text) !important",
  },
  ".cm-completionDetail, .cm-completionInfo": { color: "var(--neutral)" },
});

/** The editor in the colours of the rest of the screen, in both themes. */
export const look = [theme, syntaxHighlighting(colours)];
