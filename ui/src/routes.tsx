import { createBrowserRouter, Navigate, useRouteError, type RouteObject } from "react-router";
import { ErrorNote } from "./kit/ErrorNote";
import { Shell } from "./shell/Shell";

function RouteError() {
  return <ErrorNote error={useRouteError()} retry={() => window.location.reload()} />;
}

const pages: RouteObject[] = [
  { index: true, lazy: async () => ({ Component: (await import("./pages/home/HomePage")).HomePage }) },
  { path: "incidents", lazy: async () => ({ Component: (await import("./pages/incidents/IncidentsPage")).IncidentsPage }) },
  { path: "incidents/:id", lazy: async () => ({ Component: (await import("./pages/incidents/IncidentPage")).IncidentPage }) },
  { path: "oncall/:tab?", lazy: async () => ({ Component: (await import("./pages/oncall/OnCallPage")).OnCallPage }) },
  { path: "oncall/schedules/:id", lazy: async () => ({ Component: (await import("./pages/oncall/SchedulePage")).SchedulePage }) },
  { path: "oncall/policies/:id", lazy: async () => ({ Component: (await import("./pages/oncall/PolicyPage")).PolicyPage }) },
  { path: "oncall/teams/:id", lazy: async () => ({ Component: (await import("./pages/oncall/TeamPage")).TeamPage }) },
  { path: "oncall/services/:id", lazy: async () => ({ Component: (await import("./pages/services/ServiceEditPage")).ServiceEditPage }) },
  { path: "oncall/people/:id", lazy: async () => ({ Component: (await import("./pages/oncall/PersonPage")).PersonPage }) },
  { path: "alerts", lazy: async () => ({ Component: (await import("./pages/alerts/AlertsPage")).AlertsPage }) },
  { path: "alerts/:id", lazy: async () => ({ Component: (await import("./pages/alerts/AlertPage")).AlertPage }) },
  { path: "status-page", lazy: async () => ({ Component: (await import("./pages/statusPage/StatusPagePage")).StatusPagePage }) },
  { path: "services", lazy: async () => ({ Component: (await import("./pages/services/ServicesPage")).ServicesPage }) },
  { path: "services/:name/:tab?", lazy: async () => ({ Component: (await import("./pages/services/ServicePage")).ServicePage }) },
  { path: "explore", lazy: async () => ({ Component: (await import("./pages/explore/ExplorePage")).ExplorePage }) },
  { path: "targets", lazy: async () => ({ Component: (await import("./pages/targets/TargetsPage")).TargetsPage }) },
  { path: "logs", lazy: async () => ({ Component: (await import("./pages/logs/LogsPage")).LogsPage }) },
  { path: "workloads", lazy: async () => ({ Component: (await import("./pages/workloads/WorkloadsPage")).WorkloadsPage }) },
  { path: "workloads/:name/:tab?", lazy: async () => ({ Component: (await import("./pages/workloads/WorkloadPage")).WorkloadPage }) },
  { path: "runs", lazy: async () => ({ Component: (await import("./pages/runs/RunsPage")).RunsPage }) },
  { path: "runs/:id", lazy: async () => ({ Component: (await import("./pages/runs/RunPage")).RunPage }) },
  { path: "changes", lazy: async () => ({ Component: (await import("./pages/changes/ChangesPage")).ChangesPage }) },
  { path: "postmortems", lazy: async () => ({ Component: (await import("./pages/postmortems/PostmortemsPage")).PostmortemsPage }) },
  { path: "postmortems/:id", lazy: async () => ({ Component: (await import("./pages/postmortems/PostmortemPage")).PostmortemPage }) },
  { path: "settings/:tab?", lazy: async () => ({ Component: (await import("./pages/settings/SettingsPage")).SettingsPage }) },
  { path: "mailbox", lazy: async () => ({ Component: (await import("./pages/mailbox/MailboxPage")).MailboxPage }) },
  // The name the demo's story knows it by.
  { path: "demo/mailbox", element: <Navigate to="/mailbox" replace /> },
  { path: "*", lazy: async () => ({ Component: (await import("./pages/notFound/NotFoundPage")).NotFoundPage }) },
];

export const router = createBrowserRouter([
  { path: "/sign-in", lazy: async () => ({ Component: (await import("./pages/signIn/SignInPage")).SignInPage }), errorElement: <RouteError />, HydrateFallback: () => null },
  { path: "/", element: <Shell />, HydrateFallback: () => null, children: [{ errorElement: <RouteError />, children: pages }] },
]);
