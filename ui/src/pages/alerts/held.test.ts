import { expect, test } from "vitest";
import { heldBy, matcherFor, splitLabels, splitMatchers } from "./held";

test("what became of an alert in two words", () => {
  expect(heldBy({ handedAt: "2026-11-25T00:00:00Z" })).toBe("opened");
  expect(heldBy({ withheld: "silenced by grace until 2026-11-25 00:00 UTC: a new disk" })).toBe("silenced");
  expect(heldBy({ withheld: "alertmanager.yml routes it to data, which opens no incident" })).toBe("routed elsewhere");
  expect(heldBy({ withheld: "it only informs (severity)" })).toBe("none");
  expect(heldBy({})).toBe("–");
});

test("labels and matchers as people type them", () => {
  expect(splitLabels('{service="a,b", team=data}\nx=y')).toEqual(['service="a,b"', "team=data", "x=y"]);
  expect(splitMatchers('service="a"\n\n severity=~"x|y" ')).toEqual(['service="a"', 'severity=~"x|y"']);
  expect(matcherFor("path", 'C:\\"x"')).toBe('path="C:\\\\\\"x\\""');
});
