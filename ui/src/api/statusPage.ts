import { queryOptions, useQueryClient } from "@tanstack/react-query";
import { answer, api } from "./client";
import type { components } from "./schema";

type Schemas = components["schemas"];
export type StatusView = Schemas["StatuspageView"];
export type ComponentView = Schemas["StatuspageComponentView"];
export type IncidentView = Schemas["StatuspageIncidentView"];
export type Notice = Schemas["StatuspageNotice"];
export type StatusPage = Schemas["CatalogStatusPage"];
export type Maintenance = Schemas["CatalogMaintenance"];

const of = (id: string) => ({ params: { path: { id } } });

export const statusViewQuery = queryOptions({
  queryKey: ["status-page", "now"],
  queryFn: ({ signal }) => answer(api.GET("/api/status-page/now", { signal })),
  refetchInterval: 10_000,
});

export const statusPageQuery = queryOptions({
  queryKey: ["status-page", "listed"],
  queryFn: ({ signal }) => answer(api.GET("/api/status-page", { signal })),
});

export const noticesQuery = queryOptions({
  queryKey: ["status-page", "notices"],
  queryFn: ({ signal }) => answer(api.GET("/api/status-notices", { signal })),
});

export const maintenanceQuery = queryOptions({
  queryKey: ["status-page", "maintenance"],
  queryFn: ({ signal }) => answer(api.GET("/api/maintenance", { signal })),
});

/** What stands in for the version of a page that nobody has saved. */
const unsaved = "none";

/** Replaces the version named, and nothing else. */
export const saveStatusPage = (body: Schemas["ReplaceStatusPageRequest"], version = unsaved) =>
  answer(api.PUT("/api/status-page", { params: { header: { "If-Match": version } }, body }));
export const publishNotice = (body: Schemas["PublishStatusNoticeRequest"]) => answer(api.POST("/api/status-notices", { body }));
export const tellNotice = (id: string, body: Schemas["UpdateStatusNoticeRequest"]) => answer(api.POST("/api/status-notices/{id}/updates", { ...of(id), body }));
export const amendNotice = (id: string, body: Schemas["StatuspageNoticeBody"], version?: string) =>
  answer(api.PUT("/api/status-notices/{id}", { params: { path: { id }, header: { "If-Match": version } }, body }));
export const withdrawNotice = (id: string) => answer(api.DELETE("/api/status-notices/{id}", of(id)));
export const planMaintenance = (body: Schemas["CatalogMaintenanceBody"]) => answer(api.POST("/api/maintenance", { body }));
export const endMaintenance = (id: string) => answer(api.DELETE("/api/maintenance/{id}", of(id)));

export function useStatusPageChanged() {
  const client = useQueryClient();
  return () => client.invalidateQueries({ queryKey: ["status-page"] });
}
