import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useEffect, useState } from "react";
import { asProblem } from "@/api/problem";
import { postmortemQuery, savePostmortem } from "@/api/postmortems";
import type { PostmortemDetail, Written } from "@/api/types";
import { merge, sameWritten, trimmed, writtenOf, type Field } from "./draft";

/** Work on a postmortem: what is typed, on which version, and what becomes of it when others save too. */
export function useDraft(latest: PostmortemDetail) {
  const client = useQueryClient();
  const [base, setBase] = useState(latest);
  const [draft, setDraft] = useState(() => writtenOf(latest));
  const [both, setBoth] = useState<Field[]>([]);
  const dirty = !sameWritten(draft, writtenOf(base));

  // Somebody else saved: take their words over, unless the reader has typed some of their own.
  if (latest.version > base.version && !dirty) {
    setBase(latest);
    setDraft(writtenOf(latest));
  }

  const save = useMutation({
    mutationFn: async (change: Partial<Written>) => {
      const wanted = trimmed({ ...draft, ...change });
      return savePostmortem(base.id, base.version, wanted);
    },
    onSuccess: (saved) => {
      client.setQueryData(postmortemQuery(base.id).queryKey, saved);
      void client.invalidateQueries({ queryKey: ["postmortems"] });
      setBase(saved);
      setDraft(writtenOf(saved));
      setBoth([]);
    },
    onError: async (error) => {
      if (asProblem(error).code === "conflict") await client.invalidateQueries({ queryKey: ["postmortems", base.id] });
    },
  });

  /** Puts what was typed onto the newer version. */
  const takeOver = () => {
    const result = merge(writtenOf(base), draft, writtenOf(latest));
    setBase(latest);
    setDraft(result.merged);
    setBoth(result.both);
    save.reset();
  };

  // Closing the window must not lose what was typed.
  useEffect(() => {
    if (!dirty) return;
    const ask = (event: BeforeUnloadEvent) => event.preventDefault();
    window.addEventListener("beforeunload", ask);
    return () => window.removeEventListener("beforeunload", ask);
  }, [dirty]);

  return {
    draft,
    change: (change: Partial<Written>) => setDraft((before) => ({ ...before, ...change })),
    dirty,
    save,
    /** A newer version waits while there are unsaved words. */
    outdated: latest.version > base.version,
    takeOver,
    /** Fields that somebody else changed too; what they wrote is in `latest`. */
    both,
    discard: () => {
      setBase(latest);
      setDraft(writtenOf(latest));
      setBoth([]);
      save.reset();
    },
  };
}
