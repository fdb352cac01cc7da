import { expect, test } from "vitest";
import { heldBy, matcherFor, ownLabels, splitLabels, splitMatchers, stateOf } from "./held";

test("what became of an alert in two words", () => {
  expect(heldBy({ handedAt: "2026-11-25T00:00:00Z" })).toBe("opened");
  expect(heldBy({ withheld: "silenced by grace until 2026-11-25 00:00 UTC: a new disk" })).toBe("silenced");
  expect(heldBy({ withheld: "alertmanager.yml routes it to data, which opens no incident" })).toBe("routed elsewhere");
  expect(heldBy({ withheld: "it only informs (severity)" })).toBe("none");
  expect(heldBy({})).toBe("–");
});

test("what holds an alert is its state", () => {
  expect(stateOf({ state: "firing", suppressed: "silenced" })).toBe("silenced");
  expect(stateOf({ state: "firing" })).toBe("firing");
  expect(stateOf({ state: "resolved" })).toBe("resolved");
});

test("the labels that tell alerts of one name apart", () => {
  expect(ownLabels({ alertname: "QueueDeep", severity: "warning", service: "shop", queue: "mail", cluster: "eu 1" })).toBe('cluster="eu 1" queue="mail"');
  expect(ownLabels({ alertname: "QueueDeep" })).toBe("");
});

test("labels and matchers as people type them", () => {
  expect(splitLabels('{service="a,b", team=data}\nx=y')).toEqual(['service="a,b"', "team=data", "x=y"]);
  expect(splitMatchers('service="a"\n\n severity=~"x|y" ')).toEqual(['service="a"', 'severity=~"x|y"']);
  expect(matcherFor("path", 'C:\\"x"')).toBe('path="C:\\\\\\"x\\""');
});
