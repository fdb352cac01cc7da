import { TextInput } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { useParams } from "react-router";
import { removeTeam, saveTeam, teamsQuery } from "@/api/catalog";
import type { Team } from "@/api/types";
import { Editing } from "@/kit/Editing";
import type { Edition } from "@/kit/edition";
import { Loaded } from "@/kit/Loaded";
import { EntryForm, Missing } from "./EntryForm";
import styles from "./EntryForm.module.css";
import { Members } from "./Members";

/** One team: who belongs to it. */
export function TeamPage() {
  const { id = "" } = useParams();
  const query = useQuery(teamsQuery);
  if (id === "new") return <Editor key="new" />;
  return (
    <Loaded query={query} page="Team">
      {({ items }) => {
        const found = items.find((t) => t.id === id || t.name === id);
        if (!found) return <Missing noun="team" name={id} />;
        return (
          <Editing key={found.id} entry={found}>
            {(edition) => <Editor edition={edition} />}
          </Editing>
        );
      }}
    </Loaded>
  );
}

function Editor({ edition }: { edition?: Edition<Team> }) {
  const stored = edition?.opened;
  const [name, setName] = useState(stored?.name ?? "");
  const [description, setDescription] = useState(stored?.description ?? "");
  const [members, setMembers] = useState(stored?.members ?? []);
  return (
    <EntryForm
      noun="team"
      list="/oncall/people"
      edition={edition}
      path={(id) => `/oncall/teams/${id}`}
      save={(version) => saveTeam(stored?.id, { name: name.trim(), description: description.trim() || undefined, members }, version)}
      remove={removeTeam}
    >
      <div className={styles.row}>
        <TextInput label="Name" required withAsterisk={false} value={name} onChange={(e) => setName(e.currentTarget.value)} />
        <TextInput label="What it does" value={description} onChange={(e) => setDescription(e.currentTarget.value)} />
      </div>
      <div className={styles.row}>
        <Members label="Members" members={members} onChange={setMembers} />
      </div>
    </EntryForm>
  );
}
