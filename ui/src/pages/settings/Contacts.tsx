import { Button, NativeSelect, TextInput } from "@mantine/core";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useState, type SyntheticEvent } from "react";
import { addContact, addRule, channels, removeContact, removeRule, sendCode, testContact, verifyContact, type Channel } from "@/api/oncall";
import { peopleQuery } from "@/api/services";
import type { Contact, Me, Person } from "@/api/types";
import { ErrorNote } from "@/kit/ErrorNote";
import { Link } from "@/kit/Link";
import { Section } from "@/kit/Section";
import { StateBadge } from "@/kit/StateBadge";
import { toast } from "@/kit/toasts";
import { useMe } from "@/shell/useMe";
import styles from "./Contacts.module.css";
import { browserName, subscribe } from "./push";

/** How pages reach the reader: their contacts, and in which order they ring. */
export function Contacts({ user }: { user: Me }) {
  const { can } = useMe();
  const { data } = useQuery(peopleQuery);
  const person = data?.items.find((p) => p.name === user.name);
  if (!data) return null;
  if (!person) {
    return (
      <Section title="How pages reach you">
        <p>Nobody called {user.name} is on call here. Pages reach people whose name is that of a user.</p>
        {can("operator") && <Link to={`/oncall/people/new?name=${encodeURIComponent(user.name)}`}>Add yourself to the people who can be paged</Link>}
      </Section>
    );
  }
  return <PersonContacts person={person} mine may />;
}

interface Props {
  person: Person;
  /** Whether the reader is the person. */
  mine: boolean;
  /** Whether the reader may change it. */
  may: boolean;
}

/** How pages reach somebody. */
export function PersonContacts({ person, mine, may }: Props) {
  return (
    <>
      <Section title={mine ? "How pages reach you" : "How pages reach them"}>
        <ul className={styles.list}>
          {person.contacts.map((c) => (
            <ContactRow key={c.id} person={person.name} contact={c} may={may} own={c.channel === "email" && c.address === person.email} />
          ))}
          {person.contacts.length === 0 && <li className={styles.dim}>Nothing reaches them yet.</li>}
        </ul>
        {may && <NewContact person={person.name} mine={mine} />}
      </Section>
      <Rules person={person} may={may} />
    </>
  );
}

function useChanged() {
  const client = useQueryClient();
  return () => client.invalidateQueries({ queryKey: ["people"] });
}

interface RowProps {
  person: string;
  contact: Contact;
  may: boolean;
  /** It is the person's own address, changed with the person. */
  own: boolean;
}

function ContactRow({ person, contact, may, own }: RowProps) {
  const changed = useChanged();
  const [code, setCode] = useState("");
  const [asked, setAsked] = useState(false);
  const test = useMutation({ mutationFn: () => testContact(person, contact.id), onSuccess: () => toast({ tone: "good", text: "A test is on its way" }) });
  const remove = useMutation({ mutationFn: () => removeContact(person, contact.id), onSuccess: changed });
  const send = useMutation({ mutationFn: () => sendCode(person, contact.id), onSuccess: () => setAsked(true) });
  const verify = useMutation({ mutationFn: () => verifyContact(person, contact.id, code), onSuccess: changed });
  const usable = contact.verified !== undefined || contact.file !== undefined;
  const error = test.error ?? remove.error ?? send.error ?? verify.error;
  return (
    <li>
      <div className={styles.row}>
        <div>
          <strong>{contact.label ?? contact.channel}</strong> <span className={styles.dim}>{contact.address !== contact.label && contact.address}</span>
          <div className={styles.dim}>{contact.file ? `managed in ${contact.file}` : usable ? "verified" : <StateBadge state="not verified" />}</div>
        </div>
        {may && (
          <div className={styles.buttons}>
            {usable ? (
              <Button variant="default" loading={test.isPending} onClick={() => test.mutate()}>
                Test
              </Button>
            ) : (
              <Button variant="default" loading={send.isPending} onClick={() => send.mutate()}>
                Send a code
              </Button>
            )}
            {!contact.file && !own && (
              <Button variant="subtle" color="red" loading={remove.isPending} onClick={() => remove.mutate()}>
                Remove
              </Button>
            )}
          </div>
        )}
      </div>
      {asked && !usable && (
        <form
          className={styles.row}
          onSubmit={(e: SyntheticEvent) => {
            e.preventDefault();
            verify.mutate();
          }}
        >
          <TextInput
            label="The code that arrived"
            inputMode="numeric"
            autoComplete="one-time-code"
            maxLength={6}
            value={code}
            onChange={(e) => setCode(e.currentTarget.value)}
          />
          <Button type="submit" size="sm" disabled={code.length !== 6} loading={verify.isPending}>
            Verify
          </Button>
        </form>
      )}
      {error && <ErrorNote error={error} />}
    </li>
  );
}

const hints: Record<Channel, string> = {
  email: "ada@example.com",
  sms: "+33612345678",
  voice: "+33612345678",
  push: "",
  slack: "https://hooks.slack.com/… or #channel",
  teams: "https://… of a workflow",
  discord: "https://discord.com/api/webhooks/…",
  telegram: "the number of the chat",
  ntfy: "https://ntfy.sh/your-secret-topic",
  webhook: "https://…",
};

function NewContact({ person, mine }: { person: string; mine: boolean }) {
  const changed = useChanged();
  const [channel, setChannel] = useState<Channel>("sms");
  const [address, setAddress] = useState("");
  const add = useMutation({
    mutationFn: async () => addContact(person, channel === "push" ? { channel, label: browserName(), address: await subscribe() } : { channel, address }),
    onSuccess: () => {
      setAddress("");
      void changed();
    },
  });
  return (
    <form
      className={styles.row}
      onSubmit={(e: SyntheticEvent) => {
        e.preventDefault();
        add.mutate();
      }}
    >
      <NativeSelect label="Add" size="sm" value={channel} data={channels.filter((c) => mine || c !== "push")} onChange={(e) => setChannel(e.currentTarget.value as Channel)} />
      {channel === "push" ? (
        <span className={styles.grow}>This browser rings, also when no page of daytwo is open.</span>
      ) : (
        <TextInput
          className={styles.grow}
          label="Address"
          placeholder={hints[channel]}
          required
          withAsterisk={false}
          value={address}
          onChange={(e) => setAddress(e.currentTarget.value)}
        />
      )}
      <Button type="submit" size="sm" loading={add.isPending}>
        {channel === "push" ? "Turn on" : "Add"}
      </Button>
      {add.error && <ErrorNote error={add.error} />}
    </form>
  );
}

function Rules({ person, may }: { person: Person; may: boolean }) {
  const changed = useChanged();
  const remove = useMutation({ mutationFn: (id: string) => removeRule(person.name, id), onSuccess: changed });
  const called = (ref: string) => {
    const c = person.contacts.find((contact) => contact.id === ref);
    return c ? (c.label ?? c.channel) : ref;
  };
  return (
    <Section title="When they ring">
      {(["high", "low"] as const).map((urgency) => {
        const rules = person.rules.filter((r) => r.urgency === urgency);
        return (
          <div key={urgency}>
            <div className={styles.label}>{urgency} urgency</div>
            <ul className={styles.list}>
              {rules.length === 0 && <li className={styles.dim}>{urgency === "high" ? "all of them at once" : "what does not ring, at once"}</li>}
              {rules.map((r) => (
                <li key={r.id} className={styles.row}>
                  <span className={styles.grow}>
                    {called(r.contact)} <span className={styles.dim}>{r.after === "0s" ? "at once" : `after ${r.after}`}</span>
                  </span>
                  {r.file ? (
                    <span className={styles.dim}>managed in {r.file}</span>
                  ) : (
                    <Button variant="subtle" color="red" disabled={!may} onClick={() => remove.mutate(r.id)}>
                      Remove
                    </Button>
                  )}
                </li>
              ))}
            </ul>
          </div>
        );
      })}
      {remove.error && <ErrorNote error={remove.error} />}
      {may && person.contacts.length > 0 && <NewRule person={person} />}
    </Section>
  );
}

function NewRule({ person }: { person: Person }) {
  const changed = useChanged();
  const [urgency, setUrgency] = useState<"high" | "low">("high");
  const [after, setAfter] = useState("0s");
  const [chosen, setChosen] = useState("");
  const contact = chosen || (person.contacts[0]?.id ?? "");
  const add = useMutation({ mutationFn: () => addRule(person.name, { urgency, after, contact }), onSuccess: changed });
  return (
    <form
      className={styles.row}
      onSubmit={(e: SyntheticEvent) => {
        e.preventDefault();
        add.mutate();
      }}
    >
      <NativeSelect label="Urgency" size="sm" value={urgency} data={["high", "low"]} onChange={(e) => setUrgency(e.currentTarget.value as "high" | "low")} />
      <NativeSelect
        label="By"
        size="sm"
        value={contact}
        data={person.contacts.map((c) => ({ value: c.id, label: c.label === c.address ? c.address : `${c.label ?? c.channel} ${c.address}` }))}
        onChange={(e) => setChosen(e.currentTarget.value)}
      />
      <NativeSelect
        label="When"
        size="sm"
        value={after}
        data={[{ value: "0s", label: "at once" }, ...["1m", "2m", "5m", "10m", "15m", "30m"].map((d) => ({ value: d, label: `after ${d}` }))]}
        onChange={(e) => setAfter(e.currentTarget.value)}
      />
      <Button type="submit" variant="default" size="sm" disabled={!contact} loading={add.isPending}>
        Add
      </Button>
      {add.error && <ErrorNote error={add.error} />}
    </form>
  );
}
