import { Button, Modal } from "@mantine/core";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { useNavigate } from "react-router";
import { applyManifest } from "@/api/workloads";
import { exampleManifest } from "@/examples/examples";
import { CodeEditor } from "@/kit/CodeEditor";
import { ErrorNote } from "@/kit/ErrorNote";
import form from "@/kit/Form.module.css";

/** Deploys a manifest written or pasted here; what was typed stays when it is refused. */
export function Apply({ manifest: initial = exampleManifest, label = "Apply a manifest" }: { manifest?: string; label?: string }) {
  const [open, setOpen] = useState(false);
  const [manifest, setManifest] = useState(initial);
  const navigate = useNavigate();
  const client = useQueryClient();
  const apply = useMutation({
    mutationFn: applyManifest,
    onSuccess: async (run) => {
      void client.invalidateQueries({ queryKey: ["workloads"] });
      await navigate(`/runs/${run.id}`);
    },
  });
  const show = () => {
    setManifest(initial);
    apply.reset();
    setOpen(true);
  };
  return (
    <>
      <Button variant="default" onClick={show}>
        {label}
      </Button>
      <Modal opened={open} onClose={() => setOpen(false)} title={label} size={760}>
        <div className={form.form}>
          <CodeEditor
            label="Manifest"
            language="yaml"
            value={manifest}
            onChange={setManifest}
            onSubmit={() => apply.mutate(manifest)}
            minHeight={320}
          />
          <p>Deploys at once. If the new version does not become ready, the one before comes back.</p>
          {apply.error && <ErrorNote error={apply.error} />}
          <Button size="sm" loading={apply.isPending} onClick={() => apply.mutate(manifest)}>
            Deploy
          </Button>
        </div>
      </Modal>
    </>
  );
}
