import { ActionIcon, Button, Checkbox, Menu, Modal, NativeSelect, NumberInput, TextInput } from "@mantine/core";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { IconBell, IconBookmark, IconTrash } from "@tabler/icons-react";
import { useState, type SyntheticEvent } from "react";
import { deleteSearch, saveSearch, searchesQuery, type Asked, type SavedSearch } from "@/api/logs";
import { ErrorNote } from "@/kit/ErrorNote";
import { formatCount } from "@/kit/format";
import { toast, toastError } from "@/kit/toasts";
import { useMe } from "@/shell/useMe";
import styles from "./Logs.module.css";

interface Props {
  asked: Asked;
  columns: string[];
  onOpen: (search: SavedSearch) => void;
}

/** Searches that were kept, and the way to keep this one, with an alert if it is to be watched. */
export function Searches({ asked, columns, onOpen }: Props) {
  const { can } = useMe();
  const query = useQuery(searchesQuery);
  const client = useQueryClient();
  const [saving, setSaving] = useState(false);
  const drop = useMutation({
    mutationFn: (s: SavedSearch) => deleteSearch(s.id),
    onSuccess: () => void client.invalidateQueries({ queryKey: searchesQuery.queryKey }),
    onError: toastError,
  });
  const items = query.data?.items ?? [];
  return (
    <>
      <Menu position="bottom-end" withinPortal>
        <Menu.Target>
          <Button variant="default" leftSection={<IconBookmark size={14} />}>
            Searches
          </Button>
        </Menu.Target>
        <Menu.Dropdown className={styles.searches}>
          {items.length === 0 && <Menu.Label>No search is saved yet</Menu.Label>}
          {items.map((s) => (
            <div key={s.id} className={styles.saved}>
              <Menu.Item onClick={() => onOpen(s)}>
                {s.name}
                {s.threshold ? (
                  <span className={styles.dim}>
                    {" "}
                    · alert at {formatCount(s.threshold)} in {s.window}
                    {s.count !== undefined ? `, now ${formatCount(s.count)}` : ""}
                    {s.firing ? ", firing" : ""}
                  </span>
                ) : null}
              </Menu.Item>
              {can("responder") && (
                <ActionIcon size={24} aria-label={`Delete ${s.name}`} onClick={() => drop.mutate(s)}>
                  <IconTrash size={14} />
                </ActionIcon>
              )}
            </div>
          ))}
        </Menu.Dropdown>
      </Menu>
      {can("responder") && (
        <Button variant="default" leftSection={<IconBell size={14} />} onClick={() => setSaving(true)}>
          Save or alert
        </Button>
      )}
      <Modal opened={saving} onClose={() => setSaving(false)} title="Save this search">
        <Save asked={asked} columns={columns} onDone={() => setSaving(false)} />
      </Modal>
    </>
  );
}

function Save({ asked, columns, onDone }: { asked: Asked; columns: string[]; onDone: () => void }) {
  const client = useQueryClient();
  const [name, setName] = useState("");
  const [watched, setWatched] = useState(false);
  const [threshold, setThreshold] = useState<string | number>(10);
  const [window, setWindow] = useState("5m");
  const [severity, setSeverity] = useState<"critical" | "warning" | "info">("warning");
  const save = useMutation({
    mutationFn: () =>
      saveSearch({
        name,
        query: asked.q,
        language: asked.language === "lucene" ? "lucene" : "kql",
        columns,
        service: asked.service ?? "",
        threshold: watched ? Number(threshold) : 0,
        window,
        severity,
      }),
    onSuccess: () => {
      void client.invalidateQueries({ queryKey: searchesQuery.queryKey });
      toast({ tone: "good", text: watched ? `Watching ${name}` : `Saved ${name}` });
      onDone();
    },
  });
  const submit = (event: SyntheticEvent) => {
    event.preventDefault();
    save.mutate();
  };
  return (
    <form onSubmit={submit} className={styles.form}>
      <p className={styles.dim}>
        <code>{asked.q || "every line"}</code>
        {asked.service ? ` of ${asked.service}` : ""}
      </p>
      <TextInput label="Name" required value={name} onChange={(event) => setName(event.target.value)} data-autofocus />
      <Checkbox label="Alert when there are too many" checked={watched} onChange={(event) => setWatched(event.target.checked)} />
      {watched && (
        <>
          <NumberInput label="From this many lines on" min={1} allowDecimal={false} value={threshold} onChange={setThreshold} />
          <NativeSelect label="Within" value={window} onChange={(event) => setWindow(event.target.value)} data={["1m", "5m", "15m", "1h", "6h", "1d"]} />
          <NativeSelect label="Severity" value={severity} onChange={(event) => setSeverity(event.target.value as typeof severity)} data={["critical", "warning", "info"]} />
        </>
      )}
      {save.error && <ErrorNote error={save.error} />}
      <Button type="submit" loading={save.isPending}>
        {watched ? "Save and watch" : "Save"}
      </Button>
    </form>
  );
}
