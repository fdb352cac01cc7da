import { Button, NativeSelect, Textarea, TextInput } from "@mantine/core";
import { useMutation, useQuery } from "@tanstack/react-query";
import { useState, type SyntheticEvent } from "react";
import { asProblem } from "@/api/problem";
import {
  amendNotice,
  noticesQuery,
  statusPageQuery,
  tellNotice,
  useStatusPageChanged,
  withdrawNotice,
  type IncidentView,
  type Notice,
} from "@/api/statusPage";
import { ConfirmAction } from "@/kit/ConfirmAction";
import { Dialog } from "@/kit/Dialog";
import { ErrorNote } from "@/kit/ErrorNote";
import form from "@/kit/Form.module.css";
import { Link } from "@/kit/Link";
import { Person } from "@/kit/Person";
import { StateBadge } from "@/kit/StateBadge";
import { Ago, Elapsed } from "@/kit/Time";
import { useMe } from "@/shell/useMe";
import { ComponentChoice } from "./ComponentChoice";
import styles from "./StatusPage.module.css";
import { impacts, nextState, stateTone, states, type NoticeState } from "./words";

/** What people published, and how they go on. */
export function NoticeView({ id }: { id: string }) {
  const { data } = useQuery(noticesQuery);
  const { data: page } = useQuery(statusPageQuery);
  const changed = useStatusPageChanged();
  const { can } = useMe();
  const notice = data?.items.find((n) => n.id === id);
  if (!notice) return null;
  const named = notice.services.map((s) => page?.components.find((c) => c.service === s)?.name || s);
  return (
    <li>
      <div className={styles.head}>
        <strong>{notice.name}</strong>
        <StateBadge state={notice.state} tone={stateTone(notice.state)} />
      </div>
      <div className={styles.dim}>
        {named.join(", ")} · impact {notice.impact} · since <Ago time={notice.start} />
        {notice.end && (
          <>
            , over after <Elapsed from={notice.start} to={notice.end} />
          </>
        )}
        {notice.incident && (
          <>
            {" · "}
            <Link to={`/incidents/${notice.incident}`}>its incident</Link>
          </>
        )}
      </div>
      {notice.updates.toReversed().map((u) => (
        <p key={u.id} className={styles.text}>
          <b>{u.state}</b> {u.text}{" "}
          <span className={styles.dim}>
            <Ago time={u.at} />
            {u.by && (
              <>
                {" · "}
                <Person name={u.by} />
              </>
            )}
          </span>
        </p>
      ))}
      {can("responder") && (
        <div className={styles.buttons}>
          <Dialog label={notice.end ? "Say more" : "Update"} title={notice.name}>
            {(close) => <Tell notice={notice} done={close} />}
          </Dialog>
          <Dialog label="Edit" title={notice.name}>
            {(close) => <Amend notice={notice} done={close} />}
          </Dialog>
          <ConfirmAction
            label="Withdraw"
            color="red"
            title={`Withdraw “${notice.name}”?`}
            touches={["It goes from the public page and its history, as if it had never been there.", "The audit log keeps that it was published and withdrawn."]}
            run={() => withdrawNotice(notice.id)}
            done={() => void changed()}
          />
        </div>
      )}
    </li>
  );
}

function Tell({ notice, done }: { notice: Notice; done: () => void }) {
  const changed = useStatusPageChanged();
  const [state, setState] = useState<NoticeState>(nextState(notice.state));
  const [text, setText] = useState("");
  const tell = useMutation({
    mutationFn: () => tellNotice(notice.id, { state, text }),
    onSuccess: () => {
      void changed();
      done();
    },
  });
  const submit = (event: SyntheticEvent) => {
    event.preventDefault();
    tell.mutate();
  };
  return (
    <form className={form.form} onSubmit={submit}>
      <NativeSelect label="State" size="sm" value={state} data={[...states]} onChange={(e) => setState(e.currentTarget.value as NoticeState)} />
      <Textarea label="How things stand" required withAsterisk={false} data-autofocus autosize minRows={3} maxLength={5000} value={text} onChange={(e) => setText(e.currentTarget.value)} />
      {state === "resolved" && <p>It moves to the history, and its components are shown as they are by themselves.</p>}
      {tell.error && <ErrorNote error={tell.error} />}
      <Button type="submit" size="sm" loading={tell.isPending}>
        {state === "resolved" ? "Resolve" : "Publish"}
      </Button>
    </form>
  );
}

function Amend({ notice, done }: { notice: Notice; done: () => void }) {
  const changed = useStatusPageChanged();
  const [name, setName] = useState(notice.name);
  const [impact, setImpact] = useState(notice.impact);
  const [services, setServices] = useState(notice.services);
  const [seen, setSeen] = useState(notice); // somebody else may change it while this is open
  const save = useMutation({
    mutationFn: () => amendNotice(notice.id, { name, impact, services }, seen.version),
    onSuccess: () => {
      void changed();
      done();
    },
    onError: (error) => {
      if (asProblem(error).overtaken) void changed();
    },
  });
  const takeTheirs = () => {
    setSeen(notice);
    setName(notice.name);
    setImpact(notice.impact);
    setServices(notice.services);
    save.reset();
  };
  const submit = (event: SyntheticEvent) => {
    event.preventDefault();
    save.mutate();
  };
  return (
    <form className={form.form} onSubmit={submit}>
      <TextInput label="What customers notice" required withAsterisk={false} maxLength={200} value={name} onChange={(e) => setName(e.currentTarget.value)} />
      <ComponentChoice chosen={services} onChange={setServices} />
      <NativeSelect label="Impact" size="sm" value={impact} data={impacts} onChange={(e) => setImpact(e.currentTarget.value as IncidentView["impact"])} />
      {save.error && <ErrorNote error={save.error} />}
      {notice.version !== seen.version && (
        <Button variant="default" size="sm" onClick={takeTheirs}>
          Go on with theirs
        </Button>
      )}
      <Button type="submit" size="sm" disabled={services.length === 0} loading={save.isPending}>
        Save
      </Button>
    </form>
  );
}
