import { Button, NativeSelect, TextInput } from "@mantine/core";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useState, type SyntheticEvent } from "react";
import { createToken, revokeToken, tokensQuery } from "@/api/admin";
import type { Role, Token } from "@/api/types";
import { ConfirmAction } from "@/kit/ConfirmAction";
import { EmptyState } from "@/kit/EmptyState";
import { ErrorNote } from "@/kit/ErrorNote";
import form from "@/kit/Form.module.css";
import { Loaded } from "@/kit/Loaded";
import { Table, type Column } from "@/kit/Table";
import { Ago } from "@/kit/Time";
import { roles } from "@/shell/roles";
import { useMe } from "@/shell/useMe";
import { Secret } from "./Secret";
import styles from "./Settings.module.css";

type Scope = Token["scopes"][number];

const scopes: { value: Scope; label: string }[] = [
  { value: "*", label: "All the role allows" },
  { value: "read", label: "Read only" },
  { value: "ingest", label: "Send data only" },
  { value: "operate", label: "Operate" },
];

const lives = [
  { value: "90", label: "90 days" },
  { value: "7", label: "7 days" },
  { value: "365", label: "1 year" },
  { value: "", label: "Never expires" },
];

/** API tokens: made here, their secret shown once, ended here. */
export function Tokens() {
  const query = useQuery(tokensQuery);
  const [made, setMade] = useState<{ token: Token; secret: string }>();
  return (
    <>
      {made && (
        <Secret secret={`export DAYTWO_URL=${window.location.origin}\nexport DAYTWO_TOKEN=${made.secret}`} onClose={() => setMade(undefined)}>
          The secret of <b>{made.token.name}</b>. It is not shown again.
        </Secret>
      )}
      <NewToken onMade={setMade} />
      <Loaded query={query}>
        {({ items }) =>
          items.length > 0 ? (
            <Table label="API tokens" rows={items} columns={columns} rowKey={(t) => t.id} />
          ) : (
            <EmptyState title="No tokens">A token lets a script or a pipeline act with some of your rights.</EmptyState>
          )
        }
      </Loaded>
    </>
  );
}

const columns: Column<Token>[] = [
  { id: "name", header: "Token", phone: "title", cell: (t) => t.name, value: (t) => t.name },
  { id: "owner", header: "Acts for", cell: (t) => t.owner ?? "–", value: (t) => t.owner ?? "" },
  { id: "role", header: "Role", cell: (t) => t.role, value: (t) => t.role },
  { id: "scopes", header: "May", cell: (t) => t.scopes.map((s) => (s === "*" ? "all" : s)).join(", ") },
  { id: "created", header: "Made", cell: (t) => <Ago time={t.createdAt} />, value: (t) => t.createdAt },
  { id: "expires", header: "Expires", cell: (t) => (t.expiresAt ? <Ago time={t.expiresAt} /> : "never"), value: (t) => t.expiresAt ?? "9" },
  { id: "used", header: "Last used", cell: (t) => (t.usedAt ? <Ago time={t.usedAt} /> : "never"), value: (t) => t.usedAt ?? "" },
  { id: "end", header: "Actions", phone: "side", cell: (t) => <Revoke token={t} /> },
];

function Revoke({ token }: { token: Token }) {
  const client = useQueryClient();
  return (
    <ConfirmAction
      label="Revoke"
      size="compact-xs"
      title={`Revoke ${token.name}?`}
      color="red"
      touches={["Whatever uses this token is refused from now on. It cannot be given back."]}
      run={() => revokeToken(token.id)}
      done={() => void client.invalidateQueries({ queryKey: ["tokens"] })}
    />
  );
}

function NewToken({ onMade }: { onMade: (made: { token: Token; secret: string }) => void }) {
  const client = useQueryClient();
  const { can } = useMe();
  const allowed = roles.filter(can);
  const [name, setName] = useState("");
  const [role, setRole] = useState<Role>("viewer");
  const [scope, setScope] = useState<Scope>("*");
  const [days, setDays] = useState("90");
  const create = useMutation({
    mutationFn: () =>
      createToken({
        name,
        role,
        scopes: [scope],
        expiresAt: days ? new Date(Date.now() + Number(days) * 86_400_000).toISOString() : undefined,
      }),
    onSuccess: (made) => {
      setName("");
      onMade(made);
      void client.invalidateQueries({ queryKey: ["tokens"] });
    },
  });
  const submit = (event: SyntheticEvent) => {
    event.preventDefault();
    create.mutate();
  };
  return (
    <form className={styles.new} onSubmit={submit} aria-label="New token">
      <div className={form.line}>
        <TextInput label="What it is for" required withAsterisk={false} value={name} onChange={(e) => setName(e.currentTarget.value)} />
        <NativeSelect label="Role" value={role} onChange={(e) => setRole(e.currentTarget.value as Role)} data={allowed} />
        <NativeSelect label="May" value={scope} onChange={(e) => setScope(e.currentTarget.value as Scope)} data={scopes} />
        <NativeSelect label="Expires" value={days} onChange={(e) => setDays(e.currentTarget.value)} data={lives} />
        <Button type="submit" size="sm" loading={create.isPending}>
          Make a token
        </Button>
      </div>
      {create.error && <ErrorNote error={create.error} />}
    </form>
  );
}
