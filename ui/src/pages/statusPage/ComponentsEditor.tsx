import { ActionIcon, Button, NativeSelect, Switch, TextInput } from "@mantine/core";
import { useMutation, useQuery } from "@tanstack/react-query";
import { IconArrowDown, IconArrowUp, IconX } from "@tabler/icons-react";
import { useState, type SyntheticEvent } from "react";
import { asProblem } from "@/api/problem";
import { servicesQuery } from "@/api/services";
import { saveStatusPage, statusPageQuery, useStatusPageChanged, type StatusPage } from "@/api/statusPage";
import { Editing } from "@/kit/Editing";
import { overtaken, type Edition } from "@/kit/edition";
import { ErrorNote } from "@/kit/ErrorNote";
import form from "@/kit/Form.module.css";
import { Loaded } from "@/kit/Loaded";
import { Meanwhile } from "@/kit/Meanwhile";
import { moved } from "@/kit/moved";
import { toast } from "@/kit/toasts";
import { useMe } from "@/shell/useMe";
import styles from "./StatusPage.module.css";

/** What the page lists, unless a file says so. */
export function ComponentsEditor() {
  const query = useQuery(statusPageQuery);
  return <Loaded query={query}>{(page) => <Editing entry={page}>{(edition) => <Editor edition={edition} />}</Editing>}</Loaded>;
}

function Editor({ edition }: { edition: Edition<StatusPage> }) {
  const page = edition.opened;
  const changed = useStatusPageChanged();
  const { can } = useMe();
  const { data: services } = useQuery(servicesQuery);
  const [title, setTitle] = useState(page.title ?? "");
  const [updates, setUpdates] = useState(page.updates ?? false);
  const [components, setComponents] = useState(page.components);
  const save = useMutation({
    mutationFn: (version: string | undefined) => saveStatusPage({ title: title.trim() || undefined, updates, components }, version),
    onSuccess: async (saved) => {
      toast({ tone: "good", text: "The status page is saved" });
      await changed();
      edition.saved(saved);
    },
    onError: (error) => {
      if (asProblem(error).overtaken) void changed();
    },
  });
  const submit = (event: SyntheticEvent) => {
    event.preventDefault();
    save.mutate(page.saved?.version);
  };
  const rest = services?.items.filter((s) => !components.some((c) => c.service === s.name)) ?? [];
  const set = (i: number, change: Partial<StatusPage["components"][number]>) => setComponents(components.map((c, k) => (k === i ? { ...c, ...change } : c)));
  const editable = !page.file && can("operator");
  return (
    <form className={form.form} onSubmit={submit} aria-label="The status page">
      {page.file && (
        <p className={styles.managed} role="note">
          Declared under <code>status_page</code> in <code>{page.file}</code>: change it there, and reload. What is published, and maintenance, is done here.
        </p>
      )}
      {!page.file && !can("operator") && <p className={styles.managed}>An operator can change this.</p>}
      <fieldset className={styles.fields} disabled={!editable}>
        <div className={styles.narrow}>
          <TextInput label="Title" placeholder="Shop status" maxLength={200} value={title} onChange={(e) => setTitle(e.currentTarget.value)} />
        </div>
        <Switch label="What stakeholders are told of an incident is told the public too" checked={updates} onChange={(e) => setUpdates(e.currentTarget.checked)} />
        <ol className={styles.list} aria-label="Components">
          {components.map((c, i) => (
            <li key={c.service} className={styles.listed}>
              <TextInput label={`Name of ${c.service}, for customers`} placeholder={c.service} maxLength={200} value={c.name} onChange={(e) => set(i, { name: e.currentTarget.value })} />
              <TextInput label="Description" maxLength={1000} value={c.description ?? ""} onChange={(e) => set(i, { description: e.currentTarget.value || undefined })} />
              <span className={styles.tools}>
                <ActionIcon aria-label={`Move ${c.service} up`} disabled={i === 0} onClick={() => setComponents(moved(components, i, i - 1))}>
                  <IconArrowUp size={14} />
                </ActionIcon>
                <ActionIcon aria-label={`Move ${c.service} down`} disabled={i === components.length - 1} onClick={() => setComponents(moved(components, i, i + 1))}>
                  <IconArrowDown size={14} />
                </ActionIcon>
                <ActionIcon aria-label={`Take ${c.service} off the page`} onClick={() => setComponents(components.filter((_, k) => k !== i))}>
                  <IconX size={14} />
                </ActionIcon>
              </span>
            </li>
          ))}
          {components.length === 0 && <li className={styles.dim}>Nothing is listed: there is no public page.</li>}
        </ol>
        <div className={`${styles.narrow} ${styles.add}`}>
          <NativeSelect
            size="sm"
            label="Add a service"
            value=""
            data={[{ value: "", label: rest.length > 0 ? "Choose …" : "Every service is listed" }, ...rest.map((s) => s.name)]}
            onChange={(e) => {
              if (e.currentTarget.value) setComponents([...components, { name: "", service: e.currentTarget.value }]);
            }}
          />
        </div>
      </fieldset>
      {save.error && !(overtaken(edition) && asProblem(save.error).overtaken) && <ErrorNote error={save.error} />}
      {editable && !save.isPending && <Meanwhile edition={edition} saveOver={save.mutate} />}
      {editable && (
        <div>
          <Button type="submit" size="sm" loading={save.isPending}>
            Save
          </Button>
        </div>
      )}
    </form>
  );
}
