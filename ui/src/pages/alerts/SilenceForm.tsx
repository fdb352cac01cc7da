import { Button, NativeSelect, Textarea, TextInput } from "@mantine/core";
import { useDebouncedValue } from "@mantine/hooks";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useState, type SyntheticEvent } from "react";
import { createSilence, silencePreviewQuery } from "@/api/alerts";
import { ErrorNote } from "@/kit/ErrorNote";
import form from "@/kit/Form.module.css";
import { Link } from "@/kit/Link";
import { StateBadge } from "@/kit/StateBadge";
import { parseDuration } from "@/kit/timeRange";
import { toast } from "@/kit/toasts";
import { useParam } from "@/kit/useParam";
import { splitMatchers } from "./held";
import { OwnLabels } from "./OwnLabels";
import styles from "./Routing.module.css";

const lengths = [
  { value: "30m", label: "for 30 minutes" },
  { value: "2h", label: "for 2 hours" },
  { value: "8h", label: "for 8 hours" },
  { value: "1d", label: "for a day" },
  { value: "7d", label: "for a week" },
];

/** What to hold, for how long and why, with what that would be now. `matchers` of the URL fills it in. */
export function SilenceForm({ onDone }: { onDone: () => void }) {
  const client = useQueryClient();
  const [given] = useParam("matchers");
  const [text, setText] = useState(given);
  const [length, setLength] = useState("2h");
  const [comment, setComment] = useState("");
  const matchers = splitMatchers(text);
  const save = useMutation({
    mutationFn: () =>
      createSilence({ matchers, comment, endsAt: new Date(Date.now() + (parseDuration(length) ?? 0)).toISOString() }),
    onSuccess: () => {
      toast({ tone: "good", text: "The silence is in force" });
      void client.invalidateQueries({ queryKey: ["silences"] });
      void client.invalidateQueries({ queryKey: ["alerts"] });
      onDone();
    },
  });
  const submit = (event: SyntheticEvent) => {
    event.preventDefault();
    save.mutate();
  };
  return (
    <form className={form.form} onSubmit={submit}>
      <Textarea
        label="Alerts that match all of"
        description="One a line: = equals, != does not, =~ matches, !~ does not match"
        placeholder={'service="checkout"\nseverity=~"warning|critical"'}
        required
        withAsterisk={false}
        data-autofocus
        autosize
        minRows={2}
        maxRows={8}
        styles={{ input: { fontFamily: "var(--mantine-font-family-monospace)" } }}
        value={text}
        onChange={(e) => setText(e.currentTarget.value)}
      />
      <div className={form.line}>
        <NativeSelect label="From now" value={length} onChange={(e) => setLength(e.currentTarget.value)} data={lengths} />
        <TextInput
          label="Why"
          required
          withAsterisk={false}
          value={comment}
          onChange={(e) => setComment(e.currentTarget.value)}
        />
      </div>
      <Preview matchers={matchers} />
      <p>Incidents that are open already stay open and go on paging: acknowledge or resolve them.</p>
      {save.error && <ErrorNote error={save.error} />}
      <Button type="submit" size="sm" loading={save.isPending}>
        Silence
      </Button>
    </form>
  );
}

const typingMs = 300;

function Preview({ matchers }: { matchers: string[] }) {
  const [settled] = useDebouncedValue(matchers.join("\n"), typingMs);
  const asked = splitMatchers(settled);
  const query = useQuery({ ...silencePreviewQuery(asked), enabled: asked.length > 0 });
  if (asked.length === 0) return null;
  if (query.error) return <ErrorNote error={query.error} />;
  if (!query.data) return <p>Looking which alerts these are …</p>;
  const { alerts, more } = query.data;
  if (alerts.length === 0) return <p>None of the alerts that fire now; it holds those to come.</p>;
  return (
    <div role="status">
      <p>Holds these alerts that fire now:</p>
      <ul className={styles.preview}>
        {alerts.slice(0, 8).map((a) => (
          <li key={a.id}>
            <StateBadge state={a.severity} /> <Link to={`/alerts/${a.id}`}>{a.annotations.summary ?? a.name}</Link>
            {a.service && <span className={styles.dim}>{a.service}</span>}
            <span className={styles.own}>
              <OwnLabels of={a} />
            </span>
          </li>
        ))}
      </ul>
      {alerts.length > 8 && <p>and {alerts.length - 8 + (more ?? 0)} more</p>}
    </div>
  );
}
