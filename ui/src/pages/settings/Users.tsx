import { Button, NativeSelect, TextInput } from "@mantine/core";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useState, type SyntheticEvent } from "react";
import { createUser, createUserLink, updateUser, usersQuery } from "@/api/admin";
import type { Role, User } from "@/api/types";
import { ConfirmAction } from "@/kit/ConfirmAction";
import { ErrorNote } from "@/kit/ErrorNote";
import form from "@/kit/Form.module.css";
import { Loaded } from "@/kit/Loaded";
import { StateBadge } from "@/kit/StateBadge";
import { Table, type Column } from "@/kit/Table";
import { Ago } from "@/kit/Time";
import { toast, toastError } from "@/kit/toasts";
import { roles } from "@/shell/roles";
import { useMe } from "@/shell/useMe";
import { Secret } from "./Secret";
import styles from "./Settings.module.css";

interface Link {
  name: string;
  link: string;
}

/** Who may sign in, and with which role. */
export function Users() {
  const query = useQuery(usersQuery);
  const [made, setMade] = useState<Link>();
  const columns: Column<User>[] = [
    { id: "name", header: "User", phone: "title", cell: (u) => u.name, value: (u) => u.name },
    {
      id: "state",
      header: "State",
      phone: "side",
      cell: (u) => <StateBadge state={u.disabled ? "disabled" : "active"} tone={u.disabled ? "neutral" : "good"} />,
      value: (u) => (u.disabled ? 1 : 0),
    },
    { id: "email", header: "E-mail", cell: (u) => u.email ?? "–", value: (u) => u.email ?? "" },
    { id: "role", header: "Role", cell: (u) => <RoleChoice user={u} />, value: (u) => roles.indexOf(u.role) },
    { id: "seen", header: "Last seen", cell: (u) => (u.seenAt ? <Ago time={u.seenAt} /> : "never"), value: (u) => u.seenAt ?? "" },
    { id: "actions", header: "Actions", cell: (u) => <UserActions user={u} onLink={setMade} /> },
  ];
  return (
    <>
      {made && (
        <Secret secret={made.link} onClose={() => setMade(undefined)}>
          This link signs <b>{made.name}</b> in, once, within the hour. It is not shown again.
        </Secret>
      )}
      <NewUser onLink={setMade} />
      <Loaded query={query}>
        {({ items }) => <Table label="Users" rows={items} columns={columns} rowKey={(u) => u.id} />}
      </Loaded>
    </>
  );
}

function useChange(user: User) {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (change: { role?: Role; disabled?: boolean }) => updateUser(user.id, change),
    onSettled: () => client.invalidateQueries({ queryKey: ["users"] }),
    onError: toastError,
  });
}

function RoleChoice({ user }: { user: User }) {
  const change = useChange(user);
  const { user: me } = useMe();
  const { role } = user;
  if (me?.id === user.id) return <>{role} (you)</>;
  const set = (next: Role) =>
    change.mutate(
      { role: next },
      {
        onSuccess: () =>
          toast({
            tone: "good",
            text: `${user.name} is now ${next}`,
            action: { label: "Undo", run: () => change.mutate({ role }) },
          }),
      },
    );
  return (
    <NativeSelect
      size="xs"
      aria-label={`Role of ${user.name}`}
      value={change.isPending ? (change.variables.role ?? role) : role}
      disabled={change.isPending}
      onChange={(e) => set(e.currentTarget.value as Role)}
      data={roles}
    />
  );
}

function UserActions({ user, onLink }: { user: User; onLink: (link: Link) => void }) {
  const change = useChange(user);
  const { user: me } = useMe();
  const link = useMutation({
    mutationFn: () => createUserLink(user.id),
    onSuccess: (made) => onLink({ name: user.name, link: made.link }),
    onError: toastError,
  });
  return (
    <div className={styles.actions}>
      {!user.disabled && (
        <Button variant="default" size="compact-xs" loading={link.isPending} onClick={() => link.mutate()}>
          Sign-in link
        </Button>
      )}
      {user.disabled ? (
        <Button variant="default" size="compact-xs" loading={change.isPending} onClick={() => change.mutate({ disabled: false })}>
          Enable
        </Button>
      ) : (
        me?.id !== user.id && (
          <ConfirmAction
            label="Disable"
            size="compact-xs"
            color="red"
            title={`Disable ${user.name}?`}
            touches={["Their sessions and their tokens end now.", "What they did stays in the audit log; they can be enabled again."]}
            run={() => change.mutateAsync({ disabled: true })}
          />
        )
      )}
    </div>
  );
}

function NewUser({ onLink }: { onLink: (link: Link) => void }) {
  const client = useQueryClient();
  const [name, setName] = useState("");
  const [email, setEmail] = useState("");
  const [role, setRole] = useState<Role>("responder");
  const create = useMutation({
    mutationFn: () => createUser({ name, email: email || undefined, role }),
    onSuccess: ({ user, link }) => {
      setName("");
      setEmail("");
      if (link) onLink({ name: user.name, link });
      void client.invalidateQueries({ queryKey: ["users"] });
    },
  });
  const submit = (event: SyntheticEvent) => {
    event.preventDefault();
    create.mutate();
  };
  return (
    <form className={styles.new} onSubmit={submit} aria-label="New user">
      <div className={form.line}>
        <TextInput label="Name" required withAsterisk={false} autoCapitalize="none" value={name} onChange={(e) => setName(e.currentTarget.value)} />
        <TextInput label="E-mail (optional)" type="email" value={email} onChange={(e) => setEmail(e.currentTarget.value)} />
        <NativeSelect label="Role" value={role} onChange={(e) => setRole(e.currentTarget.value as Role)} data={roles} />
        <Button type="submit" size="sm" loading={create.isPending}>
          Add the user
        </Button>
      </div>
      {create.error && <ErrorNote error={create.error} />}
    </form>
  );
}
