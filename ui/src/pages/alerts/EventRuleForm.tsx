import { Button, NativeSelect, SegmentedControl, Switch, Textarea, TextInput } from "@mantine/core";
import { useDebouncedValue } from "@mantine/hooks";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useState, type SyntheticEvent } from "react";
import { removeEventRule, saveEventRule, type EventRule } from "@/api/events";
import { asProblem } from "@/api/problem";
import { servicesQuery } from "@/api/services";
import { ConfirmAction } from "@/kit/ConfirmAction";
import { overtaken, type Edition } from "@/kit/edition";
import { ErrorNote } from "@/kit/ErrorNote";
import form from "@/kit/Form.module.css";
import { Meanwhile } from "@/kit/Meanwhile";
import { Section } from "@/kit/Section";
import { toast } from "@/kit/toasts";
import { useMe } from "@/shell/useMe";
import { EventRuleTrial } from "./EventRuleTrial";
import { effects, tidy, trialOf } from "./eventRule";
import styles from "./EventRules.module.css";

const typingMs = 400;
const mono = { input: { fontFamily: "var(--mantine-font-family-monospace)" } };

interface Props {
  edition: Edition<EventRule>;
  rules: EventRule[];
  onDone: () => void;
}

/** One rule, and what it would have made of what came in. */
export function EventRuleForm({ edition, rules, onDone }: Props) {
  const rule = edition.opened;
  const client = useQueryClient();
  const { can } = useMe();
  const { data: services } = useQuery(servicesQuery);
  const [draft, setDraft] = useState(rule);
  const [held, setHeld] = useState<"no" | "suppress" | "drop">(rule.drop ? "drop" : rule.suppress ? "suppress" : "no");
  const set = (change: Partial<EventRule>) => setDraft({ ...draft, ...change });
  const whole = { ...draft, ...(held === "suppress" ? {} : { suppress: "", for: "" }), ...(held === "drop" ? {} : { drop: "" }) };
  const [asked] = useDebouncedValue(trialOf(whole), typingMs);
  const changed = () => client.invalidateQueries({ queryKey: ["event-rules"] });
  const save = useMutation({
    mutationFn: (version: string | undefined) => saveEventRule(tidy(whole), version),
    onSuccess: async (saved) => {
      await changed(); // whoever opens it again at once sees it as it is now
      toast({ tone: "good", text: `Event rule ${saved.name} is ${saved.disabled ? "kept, and off" : "in force"}` });
      onDone();
    },
    onError: (error) => {
      if (asProblem(error).overtaken) void changed();
    },
  });
  const submit = (event: SyntheticEvent) => {
    event.preventDefault();
    save.mutate(rule.saved?.version);
  };
  const does = effects(tidy(whole));
  const before = rules.filter((r) => r.id !== rule.id);
  return (
    <>
      <form className={form.form} onSubmit={submit} aria-label="Event rule">
        <fieldset className={styles.fields} disabled={!can("operator")}>
          <div className={form.line}>
            <TextInput label="Name" required withAsterisk={false} maxLength={200} data-autofocus value={draft.name} onChange={(e) => set({ name: e.currentTarget.value })} />
            {before.length > 0 && (
              <NativeSelect
                label="Asked"
                size="sm"
                value={String(draft.position ?? 0)}
                data={places(before, rule)}
                onChange={(e) => set({ position: Number(e.currentTarget.value) || undefined })}
              />
            )}
          </div>
          <Textarea
            label="When"
            description={
              <>
                A condition over source, service, severity, summary, origin, class, component, group, client, dedup_key, labels and details, such as{" "}
                <code>severity == "warning" && labels["env"] != "prod"</code>
              </>
            }
            required
            withAsterisk={false}
            autosize
            minRows={2}
            maxRows={10}
            styles={mono}
            spellCheck={false}
            value={draft.when}
            onChange={(e) => set({ when: e.currentTarget.value })}
          />
          <div className={form.line}>
            <NativeSelect
              label="Severity"
              size="sm"
              value={draft.severity ?? ""}
              data={[{ value: "", label: "as it says" }, "critical", "error", "warning", "info"]}
              onChange={(e) => set({ severity: (e.currentTarget.value || undefined) as EventRule["severity"] })}
            />
            <NativeSelect
              label="Service"
              size="sm"
              value={draft.service ?? ""}
              data={[{ value: "", label: "as it says" }, ...(services?.items.map((s) => s.name) ?? [])]}
              onChange={(e) => set({ service: e.currentTarget.value })}
            />
            <TextInput label="Priority" maxLength={50} value={draft.priority ?? ""} onChange={(e) => set({ priority: e.currentTarget.value })} />
            <TextInput label="Note on the alert" maxLength={300} value={draft.note ?? ""} onChange={(e) => set({ note: e.currentTarget.value })} />
          </div>
          <div>
            <div className={styles.label}>Does it page?</div>
            <SegmentedControl
              size="sm"
              value={held}
              onChange={setHeld}
              disabled={!can("operator")}
              data={[
                { value: "no", label: "As usual" },
                { value: "suppress", label: "Nobody" },
                { value: "drop", label: "Thrown away" },
              ]}
            />
          </div>
          {held === "suppress" && (
            <div className={form.line}>
              <TextInput label="Why nobody is paged" required withAsterisk={false} maxLength={300} value={draft.suppress ?? ""} onChange={(e) => set({ suppress: e.currentTarget.value })} />
              <NativeSelect
                label="Until"
                size="sm"
                value={draft.for ?? ""}
                data={[
                  { value: "", label: "nothing was heard for a day" },
                  ...["10m", "30m", "1h", "4h", "1d"].map((d) => ({ value: d, label: `it lasts for ${d}: then it pages` })),
                  ...(draft.for && !["10m", "30m", "1h", "4h", "1d"].includes(draft.for) ? [{ value: draft.for, label: `it lasts for ${draft.for}: then it pages` }] : []),
                ]}
                onChange={(e) => set({ for: e.currentTarget.value })}
              />
            </div>
          )}
          {held === "drop" && (
            <TextInput
              label="Why it is thrown away"
              description="Thrown away means counted and seen under What came in, but no alert"
              required
              withAsterisk={false}
              maxLength={300}
              value={draft.drop ?? ""}
              onChange={(e) => set({ drop: e.currentTarget.value })}
            />
          )}
          <details>
            <summary>More</summary>
            <div className={styles.more}>
              <TextInput
                label="Deduplication key"
                description={
                  <>
                    An expression; alerts of one key are one, such as <code>service + "/" + class</code>
                  </>
                }
                styles={mono}
                value={draft.dedupKey ?? ""}
                onChange={(e) => set({ dedupKey: e.currentTarget.value })}
              />
              <Switch label="Later rules are not asked" checked={draft.stop ?? false} onChange={(e) => set({ stop: e.currentTarget.checked })} />
              <Switch label="Off" checked={draft.disabled ?? false} onChange={(e) => set({ disabled: e.currentTarget.checked })} />
            </div>
          </details>
        </fieldset>
        <p>{does.length > 0 ? `What matches: ${does.join("; ")}.` : "It does nothing yet: give it a severity, a service, a reason to hold back, or a note."}</p>
        {save.error && !(overtaken(edition) && asProblem(save.error).overtaken) && <ErrorNote error={save.error} />}
        {can("operator") && !save.isPending && <Meanwhile edition={edition} saveOver={save.mutate} />}
        <div className={styles.buttons}>
          {can("operator") && (
            <Button type="submit" size="sm" loading={save.isPending} disabled={does.length === 0}>
              {rule.id ? "Save" : "Put it in force"}
            </Button>
          )}
          <Button variant="default" size="sm" onClick={onDone}>
            {can("operator") ? "Cancel" : "Back"}
          </Button>
          {rule.id && can("operator") && (
            <ConfirmAction
              label="Remove"
              size="sm"
              color="red"
              title={`Remove event rule ${rule.name}?`}
              touches={["Events that come in from now on are not asked by it.", "What it held back already stays so until its time is over."]}
              run={() => removeEventRule(rule.id ?? "")}
              done={() => {
                void changed();
                onDone();
              }}
            />
          )}
        </div>
      </form>
      <Section title="On what came in before">
        <EventRuleTrial rule={asked.when ? asked : undefined} />
      </Section>
    </>
  );
}

/** Where a rule may stand among the others: positions between theirs. */
function places(others: EventRule[], rule: EventRule) {
  const sorted = [...others].sort((a, b) => (a.position ?? 0) - (b.position ?? 0));
  const at = (i: number) => sorted[i]?.position ?? 0;
  const list = sorted.map((r, i) => {
    const middle = i === 0 ? Math.max(1, at(0) - 5) : Math.round((at(i - 1) + at(i)) / 2);
    return { value: String(middle), label: `before ${r.name}` };
  });
  const last = rule.position !== undefined && rule.position > at(sorted.length - 1) ? rule.position : at(sorted.length - 1) + 10;
  const all = [...list, { value: rule.id ? String(last) : "0", label: "after all others" }];
  const known = all.some((p) => p.value === String(rule.position ?? 0));
  return known ? all : [{ value: String(rule.position ?? 0), label: "where it is" }, ...all];
}
