import { ActionIcon, Button, Checkbox, TextInput } from "@mantine/core";
import { IconPlus, IconX } from "@tabler/icons-react";
import type { Written } from "@/api/types";
import styles from "./PostmortemEditor.module.css";

type Action = Written["actions"][number];

interface Props {
  actions: Action[];
  editable: boolean;
  onChange: (actions: Action[]) => void;
}

/** What is to be done so that it does not happen again, by whom. */
export function Actions({ actions, editable, onChange }: Props) {
  const edit = (index: number, change: Partial<Action>) =>
    onChange(actions.map((action, i) => (i === index ? { ...action, ...change } : action)));
  return (
    <fieldset className={styles.actions} disabled={!editable}>
      <legend>Actions</legend>
      <p>What is done so that it does not happen again, and by whom.</p>
      {actions.map((action, i) => (
        <div key={i} className={styles.action}>
          <Checkbox
            aria-label={`Action ${i + 1} done`}
            checked={action.done === true}
            onChange={(e) => edit(i, { done: e.currentTarget.checked })}
          />
          <TextInput
            aria-label={`Action ${i + 1}`}
            placeholder="What"
            className={styles.text}
            value={action.text}
            onChange={(e) => edit(i, { text: e.currentTarget.value })}
          />
          <TextInput
            aria-label={`Owner of action ${i + 1}`}
            placeholder="Who"
            className={styles.owner}
            value={action.owner ?? ""}
            onChange={(e) => edit(i, { owner: e.currentTarget.value })}
          />
          <ActionIcon aria-label={`Remove action ${i + 1}`} onClick={() => onChange(actions.filter((_, other) => other !== i))}>
            <IconX size={14} />
          </ActionIcon>
        </div>
      ))}
      {editable && (
        <Button variant="subtle" leftSection={<IconPlus size={14} />} onClick={() => onChange([...actions, { text: "" }])}>
          Add an action
        </Button>
      )}
    </fieldset>
  );
}
