import { Button, CloseButton } from "@mantine/core";
import { Link } from "./Link";
import { StateMark } from "./StateBadge";
import { useStore } from "./store";
import { toasts } from "./toasts";
import styles from "./Toasts.module.css";

export function Toasts() {
  const all = useStore(toasts);
  const close = (id: number) => toasts.set(all.filter((t) => t.id !== id));
  return (
    <div className={styles.toasts} role="status" aria-live="polite">
      {all.map((t) => (
        <div key={t.id} className={styles.toast}>
          <StateMark tone={t.tone} size={12} />
          <div className={styles.text}>
            {t.to ? (
              <Link to={t.to} onClick={() => close(t.id)}>
                {t.text}
              </Link>
            ) : (
              t.text
            )}
            {t.detail && <div className={styles.detail}>{t.detail}</div>}
          </div>
          {t.action && (
            <Button
              variant="subtle"
              size="compact-sm"
              onClick={() => {
                t.action?.run();
                close(t.id);
              }}
            >
              {t.action.label}
            </Button>
          )}
          <CloseButton size="sm" aria-label="Dismiss" onClick={() => close(t.id)} />
        </div>
      ))}
    </div>
  );
}
