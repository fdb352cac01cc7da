import { Button, Modal, type ButtonProps } from "@mantine/core";
import { useMutation } from "@tanstack/react-query";
import { useState, type ReactNode } from "react";
import styles from "./ConfirmAction.module.css";
import { ErrorNote } from "./ErrorNote";

interface Props<T> extends Pick<ButtonProps, "size" | "variant" | "color" | "fullWidth" | "disabled" | "leftSection"> {
  /** The button's words, a verb first: "Roll back to v1". */
  label: string;
  /** The question: "Roll back checkout to v1?" By default the label. */
  title?: string;
  /** What the action will touch, one line each. */
  touches: ReactNode[];
  run: () => Promise<T>;
  /** After it succeeded. */
  done?: (result: T) => void;
  /** Further fields of the dialog. */
  children?: ReactNode;
  /** Opens the dialog at once, as a link to the action does. */
  initiallyOpen?: boolean;
}

/** A button for what changes something live: shows what it will touch, asks once, reports where it stands. */
export function ConfirmAction<T>({ label, title = label, touches, run, done, children, initiallyOpen = false, ...button }: Props<T>) {
  const [open, setOpen] = useState(initiallyOpen);
  const action = useMutation({
    mutationFn: run,
    onSuccess: (result) => {
      setOpen(false);
      done?.(result);
    },
  });
  const show = () => {
    action.reset();
    setOpen(true);
  };

  return (
    <>
      <Button variant="default" {...button} onClick={show}>
        {label}
      </Button>
      <Modal opened={open} onClose={() => setOpen(false)} title={title} size={480}>
        <div className={styles.body}>
          <div>
            This will touch
            <ul>
              {touches.map((what, i) => (
                <li key={i}>{what}</li>
              ))}
            </ul>
          </div>
          {children}
          {action.error && <ErrorNote error={action.error} />}
          <div className={styles.buttons}>
            <Button variant="default" size="sm" onClick={() => setOpen(false)}>
              Cancel
            </Button>
            <Button size="sm" data-autofocus color={button.color} loading={action.isPending} onClick={() => action.mutate()}>
              {label}
            </Button>
          </div>
        </div>
      </Modal>
    </>
  );
}
