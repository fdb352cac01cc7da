import { Button, PasswordInput } from "@mantine/core";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useState, type SyntheticEvent } from "react";
import { setPassword } from "@/api/admin";
import type { Me } from "@/api/types";
import { ErrorNote } from "@/kit/ErrorNote";
import { Facts } from "@/kit/Facts";
import form from "@/kit/Form.module.css";
import { Section } from "@/kit/Section";
import { toast } from "@/kit/toasts";
import { useMe } from "@/shell/useMe";
import { Contacts } from "./Contacts";
import styles from "./Settings.module.css";

/** Who the reader is here, and their password. */
export function Account() {
  const { user } = useMe();
  if (!user) return null;
  return (
    <div className={styles.narrow}>
      <Facts
        facts={[
          ["Name", user.name],
          ["E-mail", user.email],
          ["Role", user.role],
        ]}
      />
      <Contacts user={user} />
      <Section title={user.hasPassword ? "Change the password" : "Set a password"}>
        <Password key={String(user.hasPassword)} user={user} />
      </Section>
    </div>
  );
}

function Password({ user }: { user: Me }) {
  const client = useQueryClient();
  const [current, setCurrent] = useState("");
  const [password, setNew] = useState("");
  const save = useMutation({
    mutationFn: () => setPassword(user.id, { password, current: current || undefined }),
    onSuccess: () => {
      setCurrent("");
      setNew("");
      toast({ tone: "good", text: "The password is set" });
      void client.invalidateQueries({ queryKey: ["session"] });
    },
  });
  const submit = (event: SyntheticEvent) => {
    event.preventDefault();
    save.mutate();
  };
  return (
    <form className={form.form} onSubmit={submit}>
      {!user.hasPassword && <p>You came by a one-time link, which works once. A password lets you come again.</p>}
      <input type="text" name="username" autoComplete="username" value={user.name} readOnly hidden />
      {user.hasPassword && (
        <PasswordInput
          label="Current password"
          autoComplete="current-password"
          required
          withAsterisk={false}
          value={current}
          onChange={(e) => setCurrent(e.currentTarget.value)}
        />
      )}
      <PasswordInput
        label="New password"
        autoComplete="new-password"
        required
        withAsterisk={false}
        value={password}
        onChange={(e) => setNew(e.currentTarget.value)}
      />
      {save.error && <ErrorNote error={save.error} />}
      <Button type="submit" size="sm" loading={save.isPending}>
        {user.hasPassword ? "Change the password" : "Set the password"}
      </Button>
    </form>
  );
}
