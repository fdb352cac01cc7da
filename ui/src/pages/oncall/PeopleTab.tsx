import { Button } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { teamsQuery } from "@/api/catalog";
import { peopleQuery } from "@/api/services";
import type { Person as PersonEntry, Team } from "@/api/types";
import { EmptyState } from "@/kit/EmptyState";
import { Link } from "@/kit/Link";
import { Loaded } from "@/kit/Loaded";
import { Person } from "@/kit/Person";
import { Section } from "@/kit/Section";
import { StateBadge } from "@/kit/StateBadge";
import { Table, type Column } from "@/kit/Table";
import { useMe } from "@/shell/useMe";
import styles from "./OnCallPage.module.css";
import { reach } from "./reach";

const managed = ({ file }: { file?: string }) => (file ? `in ${file}` : "here");

/** Everybody who can be paged, and their teams. */
export function PeopleTab() {
  const people = useQuery(peopleQuery);
  const teams = useQuery(teamsQuery);
  const { can } = useMe();
  const teamsOf = (name: string) => (teams.data?.items ?? []).filter((t) => t.members.includes(name)).map((t) => t.name);
  const columns: Column<PersonEntry>[] = [
    { id: "name", header: "Person", phone: "title", cell: (p) => p.fullName ?? p.name, value: (p) => p.fullName ?? p.name },
    {
      id: "reach",
      header: "Reached by",
      phone: "side",
      cell: (p) => {
        const { words, tone } = reach(p);
        return <StateBadge state={words} tone={tone} />;
      },
      value: (p) => reach(p).words,
    },
    { id: "teams", header: "Teams", cell: (p) => teamsOf(p.name).join(", ") || "none", value: (p) => teamsOf(p.name).join() },
    { id: "zone", header: "Lives by", cell: (p) => p.timeZone ?? "the schedule's clock", value: (p) => p.timeZone ?? "" },
    { id: "file", header: "Managed", cell: managed, value: managed },
  ];
  return (
    <>
      <Section title="People" aside={can("operator") && <New to="/oncall/people/new">Add a person</New>}>
        <Loaded query={people}>
          {({ items }) =>
            items.length > 0 ? (
              <Table label="People" rows={items} columns={columns} rowKey={(p) => p.id} to={(p) => `/oncall/people/${p.id}`} />
            ) : (
              <EmptyState title="Nobody can be paged yet">Add people here, or list them under people in daytwo.yml.</EmptyState>
            )
          }
        </Loaded>
      </Section>
      <Section title="Teams" aside={can("operator") && <New to="/oncall/teams/new">Add a team</New>}>
        <Loaded query={teams}>
          {({ items }) =>
            items.length > 0 ? (
              <Table label="Teams" rows={items} columns={teamColumns} rowKey={(t) => t.id} to={(t) => `/oncall/teams/${t.id}`} />
            ) : (
              <p className={styles.services}>No team yet. A service that has one says who owns it.</p>
            )
          }
        </Loaded>
      </Section>
    </>
  );
}

const teamColumns: Column<Team>[] = [
  { id: "name", header: "Team", phone: "title", cell: (t) => t.name, value: (t) => t.name },
  { id: "members", header: "Members", cell: (t) => <Members team={t} /> },
  { id: "file", header: "Managed", cell: managed, value: managed },
];

function New({ to, children }: { to: string; children: string }) {
  return (
    <Button component={Link} variant="default" to={to}>
      {children}
    </Button>
  );
}

function Members({ team: { members } }: { team: Team }) {
  if (members.length === 0) return "nobody";
  return (
    <span className={styles.people}>
      {members.map((m) => (
        <Person key={m} name={m} />
      ))}
    </span>
  );
}
