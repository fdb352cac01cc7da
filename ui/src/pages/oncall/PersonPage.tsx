import { TextInput } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { useParams } from "react-router";
import { removePerson, savePerson } from "@/api/catalog";
import { peopleQuery } from "@/api/services";
import type { Person } from "@/api/types";
import { Editing } from "@/kit/Editing";
import type { Edition } from "@/kit/edition";
import { Loaded } from "@/kit/Loaded";
import { useParam } from "@/kit/useParam";
import { useMe } from "@/shell/useMe";
import { PersonContacts } from "../settings/Contacts";
import { EntryForm, Missing } from "./EntryForm";
import styles from "./EntryForm.module.css";
import { ZoneInput } from "./ZoneInput";

/** One person: who they are, how pages reach them, and in which order. */
export function PersonPage() {
  const { id = "" } = useParams();
  const query = useQuery(peopleQuery);
  if (id === "new") return <Editor key="new" />;
  return (
    <Loaded query={query} page="Person">
      {({ items }) => {
        const found = items.find((p) => p.id === id || p.name === id);
        if (!found) return <Missing noun="person" name={id} />;
        return (
          <Editing key={found.id} entry={found}>
            {(edition) => <Editor edition={edition} />}
          </Editing>
        );
      }}
    </Loaded>
  );
}

function Editor({ edition }: { edition?: Edition<Person> }) {
  const stored = edition?.opened;
  const { user, can } = useMe();
  const [given] = useParam("name");
  const [name, setName] = useState(stored?.name ?? given);
  const [fullName, setFullName] = useState(stored?.fullName ?? "");
  const [email, setEmail] = useState(stored?.email ?? "");
  const [timeZone, setTimeZone] = useState(stored?.timeZone ?? "");
  const [jobTitle, setJobTitle] = useState(stored?.jobTitle ?? "");
  const mine = stored !== undefined && stored.name === user?.name;
  return (
    <EntryForm
      noun="person"
      list="/oncall/people"
      edition={edition}
      path={(id) => `/oncall/people/${id}`}
      save={(version) =>
        savePerson(
          stored?.id,
          {
            name: name.trim(),
            fullName: fullName.trim() || undefined,
            email: email.trim() || undefined,
            timeZone: timeZone || undefined,
            jobTitle: jobTitle.trim() || undefined,
          },
          version,
        )
      }
      remove={removePerson}
      effect={<Unreached warnings={edition ? edition.latest.warnings : email.trim() === "" ? [withoutEmail] : undefined} />}
      below={edition && stored && <PersonContacts person={edition.latest} mine={mine} may={mine || can("operator")} />}
    >
      <div className={styles.row}>
        <TextInput
          label="Name"
          description="As schedules name them; that of their user, so that they can change their own contacts"
          required
          withAsterisk={false}
          autoCapitalize="none"
          value={name}
          onChange={(e) => setName(e.currentTarget.value)}
        />
        <TextInput label="Full name" description="As pages and screens say it" value={fullName} onChange={(e) => setFullName(e.currentTarget.value)} />
      </div>
      <div className={styles.row}>
        <TextInput label="E-mail" type="email" value={email} onChange={(e) => setEmail(e.currentTarget.value)} />
        <ZoneInput value={timeZone} onChange={setTimeZone} />
        <TextInput label="Job title" value={jobTitle} onChange={(e) => setJobTitle(e.currentTarget.value)} />
      </div>
    </EntryForm>
  );
}

const withoutEmail = "Without an e-mail nobody can page them until they add a contact of their own.";

/** Somebody may be on call whom no page reaches: that is said before it matters. */
function Unreached({ warnings }: { warnings?: string[] }) {
  if (!warnings) return null;
  return (
    <p className={styles.warn} role="note">
      {warnings.join(" ")}
    </p>
  );
}
