import { Button } from "@mantine/core";
import { useMutation } from "@tanstack/react-query";
import type { ReactNode, SyntheticEvent } from "react";
import { useNavigate } from "react-router";
import { useCatalogChanged } from "@/api/catalog";
import { asProblem, Problem } from "@/api/problem";
import { ConfirmAction } from "@/kit/ConfirmAction";
import { overtaken, type Edition, type Kept } from "@/kit/edition";
import { ErrorNote } from "@/kit/ErrorNote";
import form from "@/kit/Form.module.css";
import { Link } from "@/kit/Link";
import { Meanwhile } from "@/kit/Meanwhile";
import { PageTitle } from "@/kit/PageTitle";
import { toast } from "@/kit/toasts";
import { useCarryTime } from "@/kit/useTimeRange";
import { useMe } from "@/shell/useMe";
import styles from "./EntryForm.module.css";

interface Stored extends Kept {
  id: string;
  name: string;
  file?: string;
  /** What is odd about it, though it was saved. */
  warnings?: string[];
}

interface Props<T extends Stored> {
  /** What it is: "schedule". */
  noun: string;
  /** The list that it stands in: "/oncall". */
  list: string;
  /** What that is called. */
  listName?: string;
  /** The entry as it is stored; absent: a new one. */
  edition?: Edition<T>;
  /** Rejects with what is wrong, also if there is another version by now. Absent while something is missing that only the page can see. */
  save?: (version?: string) => Promise<T>;
  remove: (id: string) => Promise<unknown>;
  /** Where a saved entry has its page. */
  path: (id: string) => string;
  children: ReactNode;
  /** What the changes would bring, beside the button that makes them. */
  effect?: ReactNode;
  /** What stands under the form and is not part of it. */
  below?: ReactNode;
}

/** The page of one entry of the catalog: its fields, or why they cannot be changed here. */
export function EntryForm<T extends Stored>({ noun, list, listName = "On-call", edition, save, remove, path, children, effect, below }: Props<T>) {
  const navigate = useNavigate();
  const carry = useCarryTime();
  const changed = useCatalogChanged();
  const { can } = useMe();
  const stored = edition?.opened;
  const keep = useMutation({
    mutationFn: async (version: string | undefined) => {
      if (!save) throw new Error("Some field is not complete yet.");
      return save(version);
    },
    onSuccess: async (entry) => {
      toast({ tone: entry.warnings ? "warning" : "good", text: `${entry.name} is saved`, detail: entry.warnings?.join(" ") });
      await changed(); // the page of the entry looks for it among the others
      edition?.saved(entry);
      void navigate(carry(path(entry.id)), { replace: stored === undefined });
    },
    onError: (error) => {
      if (asProblem(error).overtaken) void changed();
    },
  });
  const submit = (event: SyntheticEvent) => {
    event.preventDefault();
    keep.mutate(stored?.saved?.version);
  };
  const editable = can("operator") && !stored?.file;
  return (
    <>
      <PageTitle
        title={stored?.name ?? `New ${noun}`}
        over={
          <>
            <Link to={list}>{listName}</Link> · {noun}
          </>
        }
        actions={
          stored &&
          editable && (
            <ConfirmAction
              label="Remove"
              color="red"
              title={`Remove ${noun} ${stored.name}?`}
              touches={[`The ${noun} goes. What it did before stays in the log and in the reports.`, "If something still uses it, this is refused and says what."]}
              run={() => remove(stored.id)}
              done={() => {
                void changed();
                void navigate(carry(list));
              }}
            />
          )
        }
      />
      {stored?.file && (
        <p className={styles.managed} role="note">
          Declared in <code>{stored.file}</code>: change it there, and reload.
        </p>
      )}
      {!stored?.file && !can("operator") && (
        <p className={styles.managed} role="note">
          An operator can change this.
        </p>
      )}
      <form className={form.form} onSubmit={submit} aria-label={`The ${noun}`}>
        <fieldset className={styles.fields} disabled={!editable}>
          {children}
        </fieldset>
        {effect}
        {keep.error && !(edition && overtaken(edition) && asProblem(keep.error).overtaken) && <ErrorNote error={keep.error} />}
        {edition && editable && !keep.isPending && <Meanwhile edition={edition} saveOver={save && keep.mutate} />}
        {editable && (
          <div>
            <Button type="submit" size="sm" loading={keep.isPending} disabled={!save}>
              {stored ? "Save" : `Make the ${noun}`}
            </Button>
          </div>
        )}
      </form>
      {below}
    </>
  );
}

/** In place of an entry that is not there. */
export function Missing({ noun, name, list = "/oncall", listName = "On-call" }: { noun: string; name: string; list?: string; listName?: string }) {
  return (
    <>
      <PageTitle title={`No such ${noun}`} over={<Link to={list}>{listName}</Link>} />
      <ErrorNote error={new Problem(`There is no ${noun} ${name}.`, 404, "not_found", `It may have been removed; the others are under ${listName}.`)} />
    </>
  );
}
