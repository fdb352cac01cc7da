import { Button, Modal, type ButtonProps } from "@mantine/core";
import { useState, type ReactNode } from "react";

interface Props extends Pick<ButtonProps, "size" | "variant"> {
  /** The button's words. */
  label: string;
  title: string;
  children: (close: () => void) => ReactNode;
}

/** A button that asks for more before it does something. */
export function Dialog({ label, title, children, ...button }: Props) {
  const [open, setOpen] = useState(false);
  return (
    <>
      <Button variant="default" {...button} onClick={() => setOpen(true)}>
        {label}
      </Button>
      <Modal opened={open} onClose={() => setOpen(false)} title={title}>
        {children(() => setOpen(false))}
      </Modal>
    </>
  );
}
