import { Link } from "./Link";
import { servicePath } from "./paths";

interface Props {
  /** Its name; empty where nobody has said to which service something belongs. */
  service: string;
  /** What stands for it then. */
  group?: string;
}

/** Which service something is about, or what its alerts share where they name none. */
export function ServiceLink({ service, group }: Props) {
  if (service) return <Link to={servicePath(service)}>{service}</Link>;
  return <span>{group ? `no service (${group})` : "no service"}</span>;
}
