import { useQuery } from "@tanstack/react-query";
import { workloadLogQuery } from "@/api/workloads";
import { Loaded } from "@/kit/Loaded";
import { LogView } from "@/kit/LogView";
import styles from "./WorkloadPage.module.css";

export function WorkloadLog({ name }: { name: string }) {
  const query = useQuery(workloadLogQuery(name, 2_000));
  return (
    <div className={styles.panel}>
      <Loaded query={query}>
        {({ items }) => <LogView label={`Log of ${name}`} lines={items} follow height="max(320px, calc(100dvh - 340px))" />}
      </Loaded>
    </div>
  );
}
