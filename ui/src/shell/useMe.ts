import { useQuery } from "@tanstack/react-query";
import { sessionQuery } from "@/api/session";
import type { Me, Role } from "@/api/types";

const order: Role[] = ["viewer", "responder", "operator", "admin"];

/** Who is signed in, and whether they may do what needs a role. */
export function useMe(): { user?: Me; can: (role: Role) => boolean } {
  const { data } = useQuery(sessionQuery);
  const user = data?.user;
  return { user, can: (role) => user !== undefined && order.indexOf(user.role) >= order.indexOf(role) };
}
