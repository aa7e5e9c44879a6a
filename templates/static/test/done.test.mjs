import assert from "node:assert/strict";
import { test } from "node:test";
import { load, page, settle } from "./kit.mjs";

const { Done } = await load("done.ts");
const { Words } = await load("elements.ts");

// open shows "I'm done" with an outbox as told; what is spoken is in spoken.
function open(outbox, lacks = {}) {
  const browser = page();
  const spoken = [];
  const all = { pending: 0, needing: 0, staying: [], count: 1, settled: false, hurry() {}, adopt: async () => true, ...outbox };
  const done = new Done(new Words(browser.get("settings")), { say: (words) => spoken.push(words) }, all, { any: false, settled: true, ...lacks });
  return { browser, spoken, outbox: all, done, press: () => browser.get("done").fire("submit") };
}

test("the question that comes while the person waits is spoken, wherever the focus is", async () => {
  const it = open({ pending: 1 });
  it.press();
  await settle();
  assert.deepEqual(it.spoken, []);
  Object.assign(it.outbox, { pending: 0, needing: 1 });
  it.done.changed();
  assert.equal(it.spoken.length, 1);
  assert.match(it.spoken[0], /^done-needs/);
  it.done.changed();
  assert.equal(it.spoken.length, 1, "once");
});

test("the question that is there at once is read by the focus alone", async () => {
  const it = open({ needing: 1 });
  it.press();
  await settle();
  assert.deepEqual(it.spoken, []);
  assert.match(it.browser.get("done-words").textContent, /^done-needs/);
});

test("there is something to be done with: pages, or a word about a paper", () => {
  const it = open({ count: 0 });
  it.done.changed();
  assert.ok(it.browser.get("done").hidden);
  const lacks = open({ count: 0 }, { any: true });
  lacks.done.changed();
  assert.ok(!lacks.browser.get("done").hidden);
});
