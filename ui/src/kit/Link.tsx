import { NavLink as RouterNavLink, Link as RouterLink, type LinkProps, type NavLinkProps } from "react-router";
import { useCarryTime } from "./useTimeRange";

/** A link within the app that takes the time range along. */
export function Link({ to, ...rest }: LinkProps & { to: string }) {
  const carry = useCarryTime();
  return <RouterLink to={carry(to)} {...rest} />;
}

export function NavLink({ to, ...rest }: NavLinkProps & { to: string }) {
  const carry = useCarryTime();
  return <RouterNavLink to={carry(to)} {...rest} />;
}
