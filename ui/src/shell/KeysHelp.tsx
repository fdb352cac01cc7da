import { Modal } from "@mantine/core";
import { useStore } from "@/kit/store";
import { navPages } from "./nav";
import { helpOpen } from "./palette";
import styles from "./KeysHelp.module.css";

const general: [string, string][] = [
  ["⌘ K or Ctrl K", "Find anything, do anything"],
  ["/", "Search on this page"],
  ["j, k", "Next and previous in a list"],
  ["Enter", "Open the selected row"],
  ["drag on a graph", "Zoom every graph to that time"],
  ["Esc", "Back from a zoom, close"],
  ["?", "These keys"],
];

export function KeysHelp() {
  const open = useStore(helpOpen);
  const places = navPages.flatMap((p) => (p.key ? [[`g ${p.key}`, p.label] as [string, string]] : []));
  return (
    <Modal opened={open} onClose={() => helpOpen.set(false)} title="Keys" size={680}>
      <div className={styles.keys}>
        {[general, places].map((part, i) => (
          <dl key={i}>
            {part.map(([key, what]) => (
              <div key={key}>
                <dt>
                  <kbd>{key}</kbd>
                </dt>
                <dd>{what}</dd>
              </div>
            ))}
          </dl>
        ))}
      </div>
    </Modal>
  );
}
