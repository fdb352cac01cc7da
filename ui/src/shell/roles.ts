import type { Role } from "@/api/types";

/** From what allows least to what allows most. */
export const roles: Role[] = ["viewer", "responder", "operator", "admin"];
