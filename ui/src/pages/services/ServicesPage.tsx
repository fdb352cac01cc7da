import { Button, NativeSelect } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { servicesQuery } from "@/api/services";
import type { Service } from "@/api/types";
import { EmptyState } from "@/kit/EmptyState";
import { Filters, SearchFilter } from "@/kit/Filters";
import { Link } from "@/kit/Link";
import { Loaded } from "@/kit/Loaded";
import { PageTitle } from "@/kit/PageTitle";
import { useParam } from "@/kit/useParam";
import { useMe } from "@/shell/useMe";
import { NoServices } from "./NoServices";
import { ServiceTable } from "./ServiceTable";

export function ServicesPage() {
  const query = useQuery(servicesQuery);
  const { can } = useMe();
  return (
    <>
      <PageTitle
        title="Services"
        actions={
          can("operator") && (
            <Button component={Link} variant="default" to="/oncall/services/new">
              New service
            </Button>
          )
        }
      />
      <Loaded query={query} rows={8}>
        {({ items }) => (items.length > 0 ? <Filtered services={items} /> : <NoServices />)}
      </Loaded>
    </>
  );
}

function Filtered({ services }: { services: Service[] }) {
  const [text] = useParam("q");
  const [team, setTeam] = useParam("team");
  const teams = [...new Set(services.flatMap((s) => s.team ?? []))].sort();
  const wanted = text.toLowerCase();
  const found = services.filter(
    (s) => (!team || s.team === team) && `${s.name} ${s.description ?? ""}`.toLowerCase().includes(wanted),
  );
  return (
    <>
      <Filters>
        <SearchFilter label="Search services" />
        {teams.length > 1 && (
          <NativeSelect
            size="xs"
            aria-label="Team"
            value={team}
            onChange={(e) => setTeam(e.target.value)}
            data={[{ value: "", label: "All teams" }, ...teams]}
          />
        )}
      </Filters>
      {found.length > 0 ? (
        <ServiceTable services={found} withTeam={teams.length > 1} />
      ) : (
        <EmptyState title="No service matches">Another word or team may find it.</EmptyState>
      )}
    </>
  );
}
