import { useQuery } from "@tanstack/react-query";
import { useMemo } from "react";
import { serviceQuery } from "@/api/services";
import type { Service } from "@/api/types";
import { Loaded } from "@/kit/Loaded";
import { useAnnotations } from "@/kit/timeSeries/annotations";
import { QueryGraph } from "@/kit/timeSeries/QueryGraph";
import { goldenSignals, titleOf } from "@/pages/services/signals";
import styles from "./IncidentPage.module.css";

/** The share of failed requests, and the traffic it is a share of, with changes and the incident marked. */
export function ServiceErrors({ service }: { service: string }) {
  const query = useQuery(serviceQuery(service));
  return <Loaded query={query}>{(found) => <Graphs service={found} />}</Loaded>;
}

function Graphs({ service }: { service: Service }) {
  const annotations = useAnnotations(service.name);
  const graphs = useMemo(
    () =>
      ["errors", "latency", "traffic"].flatMap((id) => {
        const signal = goldenSignals(service).find((s) => s.id === id);
        return signal ? [{ ...signal, title: titleOf({ ...signal, title: `${signal.title} of ${service.name}` }), queries: [{ expr: signal.expr, label: signal.label }] }] : [];
      }),
    [service],
  );
  return (
    <div className={styles.graphs}>
      {graphs.map(({ id, title, unit, queries }) => (
        <QueryGraph
          key={id}
          title={title}
          unit={unit}
          queries={queries}
          annotations={annotations}
          height={id === "errors" ? 200 : 120}
        />
      ))}
    </div>
  );
}
