import { useMantineColorScheme } from "@mantine/core";
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { acknowledge, incidentsQuery } from "@/api/incidents";
import { runsQuery } from "@/api/runs";
import { onCallsQuery, servicesQuery } from "@/api/services";
import { infoQuery, signOut } from "@/api/session";
import { workloadsQuery } from "@/api/workloads";
import { servicePath } from "@/kit/paths";
import { useStore } from "@/kit/store";
import { toast, toastError } from "@/kit/toasts";
import { useTimeRange } from "@/kit/useTimeRange";
import { navPages } from "./nav";
import { helpOpen, pageCommands, type Command } from "./palette";
import { useMe } from "./useMe";

/** Everything the palette can find, the page's own commands first. */
export function useCommands(): Command[] {
  const client = useQueryClient();
  const { can } = useMe();
  const own = useStore(pageCommands);
  const { data: info } = useQuery(infoQuery);
  const { data: services } = useQuery(servicesQuery);
  const { data: incidents } = useQuery(incidentsQuery({ limit: 50 }));
  const { data: runs } = useQuery(runsQuery({ limit: 30 }));
  const { data: workloads } = useQuery(workloadsQuery);
  const { data: onCalls } = useQuery(onCallsQuery);
  const { colorScheme, setColorScheme } = useMantineColorScheme();
  const time = useTimeRange();

  const acknowledgeNow = (id: string, number: number) =>
    acknowledge(id)
      .then(() => {
        toast({ tone: "good", text: `Incident #${number} acknowledged`, to: `/incidents/${id}` });
        void client.invalidateQueries({ queryKey: ["incidents"] });
      })
      .catch(toastError);

  const open = (incidents?.items ?? []).filter((i) => i.status !== "resolved");
  const people = [...new Set((onCalls?.items ?? []).flatMap((o) => o.levels.flatMap((l) => l.people)))];
  const action = (label: string, run: () => void, words?: string): Command => ({ group: "Action", label, run, words });

  return [
    ...own,
    ...open
      .filter((i) => i.status === "triggered" && can("responder"))
      .map((i) => action(`Acknowledge #${i.number} ${i.title}`, () => void acknowledgeNow(i.id, i.number), "ack take")),
    ...open.map((i) => ({ group: "Incident", label: `#${i.number} ${i.title}`, hint: i.status, words: i.service, to: `/incidents/${i.id}` })),
    ...navPages.map((p) => ({ group: "Page", label: p.label, hint: p.key && `g ${p.key}`, to: p.path })),
    { group: "Page", label: "Settings", words: "users tokens audit", to: "/settings" },
    ...(info?.demo ? [{ group: "Page", label: "Mailbox", words: "demo email webhook", to: "/mailbox" }] : []),
    ...(services?.items ?? []).map((s) => ({ group: "Service", label: s.name, hint: s.team, words: s.description, to: servicePath(s.name) })),
    ...(can("operator")
      ? (workloads?.items ?? []).map((w) => ({
          group: "Action",
          label: `Roll back ${w.name}`,
          hint: w.version,
          words: "rollback revert",
          to: `/workloads/${encodeURIComponent(w.name)}?do=rollback`,
        }))
      : []),
    action(
      "Toggle theme",
      () => setColorScheme(document.documentElement.dataset.mantineColorScheme === "dark" ? "light" : "dark"),
      "dark light mode",
    ),
    ...(colorScheme === "auto" ? [] : [action("Follow the system's theme", () => setColorScheme("auto"), "dark light")]),
    action(time.zone === "utc" ? "Show local time" : "Show UTC", () => time.setZone(time.zone === "utc" ? "local" : "utc"), "zone"),
    action(time.live ? "Pause live updates" : "Resume live updates", () => time.setPaused(time.live)),
    action("Show keys", () => helpOpen.set(true), "help shortcuts keyboard"),
    action("Sign out", () => void signOut().then(() => window.location.assign("/sign-in"), toastError), "log out"),
    ...(incidents?.items ?? [])
      .filter((i) => i.status === "resolved")
      .map((i) => ({ group: "Incident", label: `#${i.number} ${i.title}`, hint: i.status, words: i.service, to: `/incidents/${i.id}` })),
    ...(runs?.items ?? []).map((r) => ({ group: "Run", label: r.title, hint: r.status, words: `${r.kind} ${r.service ?? ""}`, to: `/runs/${r.id}` })),
    ...people.map((p) => ({ group: "Person", label: p, to: `/oncall/people/${encodeURIComponent(p)}` })),
  ];
}
