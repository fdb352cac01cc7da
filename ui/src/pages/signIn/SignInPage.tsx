import { Button, PasswordInput, TextInput } from "@mantine/core";
import { useDocumentTitle } from "@mantine/hooks";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useEffect, useRef, useState, type SyntheticEvent } from "react";
import { useNavigate, useSearchParams } from "react-router";
import { redeem, sessionQuery, signIn } from "@/api/session";
import { ErrorNote } from "@/kit/ErrorNote";
import styles from "./SignInPage.module.css";

/** Sign in by name and password, or by the one-time link the server printed. */
export function SignInPage() {
  useDocumentTitle("Sign in · daytwo");
  const [params] = useSearchParams();
  const token = params.get("token");
  const done = useDone(params.get("next"));
  const byLink = useMutation({ mutationFn: redeem, onSuccess: done });
  const byName = useMutation({
    mutationFn: (input: { name: string; password: string }) => signIn(input.name, input.password),
    onSuccess: done,
  });

  // A link works once: redeem it once, however often this is mounted.
  const redeemed = useRef<string>(undefined);
  const { mutate } = byLink;
  useEffect(() => {
    if (!token || redeemed.current === token) return;
    redeemed.current = token;
    mutate(token);
  }, [token, mutate]);

  const waiting = token !== null && !byLink.isError;
  return (
    <main className={styles.page}>
      <div className={styles.brand}>
        <img src="/favicon.svg" alt="" width={32} height={32} />
        <h1>daytwo</h1>
      </div>
      {waiting ? (
        <p role="status">Signing in with your link…</p>
      ) : (
        <>
          {byLink.error && <ErrorNote error={byLink.error} />}
          <Form busy={byName.isPending} onSubmit={byName.mutate} />
          {byName.error && <ErrorNote error={byName.error} />}
          <p className={styles.help}>
            No password yet? The first start of daytwo prints a one-time link, and an admin makes one for anybody under Settings.
          </p>
        </>
      )}
    </main>
  );
}

function Form({ busy, onSubmit }: { busy: boolean; onSubmit: (input: { name: string; password: string }) => void }) {
  const [name, setName] = useState("");
  const [password, setPassword] = useState("");
  const submit = (event: SyntheticEvent) => {
    event.preventDefault();
    onSubmit({ name, password });
  };
  return (
    <form onSubmit={submit} className={styles.form}>
      <TextInput
        label="Name"
        name="name"
        autoComplete="username"
        autoCapitalize="none"
        required
        withAsterisk={false}
        value={name}
        onChange={(e) => setName(e.target.value)}
      />
      <PasswordInput
        label="Password"
        name="password"
        autoComplete="current-password"
        required
        withAsterisk={false}
        value={password}
        onChange={(e) => setPassword(e.target.value)}
      />
      <Button type="submit" size="sm" loading={busy}>
        Sign in
      </Button>
    </form>
  );
}

/** Goes to where the visitor wanted to be, if that is a page of ours. */
function useDone(next: string | null) {
  const navigate = useNavigate();
  const client = useQueryClient();
  return async () => {
    await client.query({ ...sessionQuery, staleTime: 0 });
    await navigate(next?.startsWith("/") && !next.startsWith("//") ? next : "/", { replace: true });
  };
}
