import { useQuery } from "@tanstack/react-query";
import { onCallsQuery } from "@/api/services";
import { Loaded } from "@/kit/Loaded";
import { Person } from "@/kit/Person";
import styles from "./OnCallNow.module.css";

/** Who is paged first for each policy that services use. */
export function OnCallNow() {
  const query = useQuery(onCallsQuery);
  return (
    <Loaded query={query} rows={2}>
      {({ items }) =>
        items.length > 0 ? (
          <dl className={styles.list}>
            {items.map((policy) => (
              <div key={policy.policy}>
                <dt>{policy.policy}</dt>
                <dd>
                  {(policy.levels[0]?.people ?? []).map((name) => (
                    <Person key={name} name={name} link />
                  ))}
                  {!policy.levels[0]?.people.length && <span className={styles.nobody}>nobody</span>}
                </dd>
              </div>
            ))}
          </dl>
        ) : (
          <p className={styles.none}>Nobody: no escalation policy is written in daytwo.yml.</p>
        )
      }
    </Loaded>
  );
}
