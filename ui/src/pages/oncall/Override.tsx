import { Button, Modal, NativeSelect } from "@mantine/core";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { override } from "@/api/oncall";
import { peopleQuery } from "@/api/services";
import { ErrorNote } from "@/kit/ErrorNote";
import { toast } from "@/kit/toasts";
import { useMe } from "@/shell/useMe";
import styles from "./Schedules.module.css";

const hour = 3_600_000;
const spans = [
  { label: "1 hour", ms: hour },
  { label: "4 hours", ms: 4 * hour },
  { label: "12 hours", ms: 12 * hour },
  { label: "1 day", ms: 24 * hour },
  { label: "1 week", ms: 7 * 24 * hour },
];

/** Takes over in two taps: the button, then for how long. */
export function Override({ schedule, on }: { schedule: string; on?: string }) {
  const [open, setOpen] = useState(false);
  return (
    <>
      <Button variant="default" size="sm" onClick={() => setOpen(true)}>
        Override
      </Button>
      <Modal opened={open} onClose={() => setOpen(false)} title={`Override ${schedule} from now on`}>
        <Form schedule={schedule} on={on} done={() => setOpen(false)} />
      </Modal>
    </>
  );
}

function Form({ schedule, on, done }: { schedule: string; on?: string; done: () => void }) {
  const client = useQueryClient();
  const { user } = useMe();
  const { data } = useQuery(peopleQuery);
  const names = data?.items.map((p) => p.name) ?? [];
  const [chosen, setChosen] = useState("");
  const person = chosen || names.find((n) => n === user?.name && n !== on) || names.find((n) => n !== on) || "";
  const save = useMutation({
    mutationFn: (ms: number) => override(schedule, { person, start: new Date().toISOString(), end: new Date(Date.now() + ms).toISOString() }),
    onSuccess: (made) => {
      done();
      toast({ tone: "good", text: `${made.person} is on call for ${schedule}` });
      void client.invalidateQueries({ queryKey: ["oncall"] });
    },
  });
  return (
    <div className={styles.fields}>
      <NativeSelect label="Who takes over" size="sm" value={person} data={names} onChange={(e) => setChosen(e.currentTarget.value)} />
      <div className={styles.spans} role="group" aria-label="For how long">
        {spans.map((s) => (
          <Button key={s.label} size="sm" disabled={!person} loading={save.isPending && save.variables === s.ms} onClick={() => save.mutate(s.ms)}>
            {s.label}
          </Button>
        ))}
      </div>
      {save.error && <ErrorNote error={save.error} />}
    </div>
  );
}
