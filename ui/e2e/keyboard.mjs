// The incident handled without a mouse.

import { settled } from "./browser.mjs";
import { check, equal, ok } from "./report.mjs";

/** Presses Tab until the focus is on what is wanted. */
async function tabTo(page, locator, what) {
  for (let i = 0; i < 150; i++) {
    await page.keyboard.press("Tab");
    if (await locator.evaluate((element) => element === document.activeElement)) {
      // Fields show the focus by their border, everything else by an outline.
      const seen = await locator.evaluate((element) => element.matches("input, textarea") || getComputedStyle(element).outlineStyle !== "none");
      ok(seen, `the focus on ${what} cannot be seen`);
      return;
    }
  }
  throw new Error(`${what} cannot be reached with Tab`);
}

export async function keyboardStory(page, incident) {
  await check("keyboard: g i, j and Enter open the incident", async () => {
    await page.goto("/");
    await settled(page);
    await page.keyboard.press("g");
    await page.keyboard.press("i");
    await page.getByRole("heading", { level: 1, name: "Incidents" }).waitFor();
    await page.getByRole("table", { name: "Incidents" }).waitFor();
    await page.keyboard.press("j");
    await page.keyboard.press("Enter");
    await page.waitForURL(`**${incident}*`);
    await settled(page);
  });
  await check("keyboard: Roll back asks, Escape takes the question back", async () => {
    const rollBack = page.getByRole("button", { name: /^Roll back/ }).first();
    await rollBack.waitFor();
    await tabTo(page, rollBack, "Roll back");
    await page.keyboard.press("Enter");
    const dialog = page.getByRole("dialog");
    await dialog.waitFor();
    await dialog.locator(":focus").waitFor();
    await page.keyboard.press("Escape");
    await dialog.waitFor({ state: "hidden" });
    await page.waitForFunction(() => document.activeElement?.textContent?.startsWith("Roll back"));
  });
  await check("keyboard: a note is written and added", async () => {
    const note = page.getByRole("textbox", { name: "Note" });
    await tabTo(page, note, "the note");
    await page.keyboard.type("Only plan and region of one kind fail");
    await page.keyboard.press("Control+Enter");
    await page.getByRole("list", { name: "Log of the incident" }).getByText("Only plan and region of one kind fail").waitFor();
    equal(await note.inputValue(), "", "the field after adding");
  });
  await check("keyboard: the palette finds a service and goes there", async () => {
    await page.keyboard.press("Escape");
    await page.keyboard.press("Control+k");
    await page.getByRole("dialog").waitFor();
    await page.keyboard.type("payments");
    await page.keyboard.press("Enter");
    await page.waitForURL("**/services/payments*");
  });
}
