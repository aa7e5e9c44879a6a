import assert from "node:assert/strict";
import { afterEach, beforeEach, mock, test } from "node:test";
import { advance, load, network, page, settle } from "./kit.mjs";

const { send } = await load("send.ts");
const stored = [201, { stored: true }];

beforeEach(() => mock.timers.enable({ apis: ["setTimeout"] }));
afterEach(() => mock.timers.reset());

// begin posts one page and tells what came of it so far.
function begin() {
  const told = [];
  const state = { told };
  const parcel = { key: "k", label: "", plain: new Blob(["x"]), sealed: undefined };
  send("/send/x/pages", parcel, { progress() {}, trouble: (kind) => told.push(kind) }).then((outcome) => {
    state.outcome = outcome;
  });
  return state;
}

test("only our server's own word counts as received", async () => {
  page();
  for (const answer of [
    [200, "<!doctype html><title>Where a redirect led to</title>"],
    [200, { stored: true }],
    [201, ""],
    [201, { stored: "true" }],
    [201, "<!doctype html><title>Log in to the network</title>"],
    [202, { stored: true }],
    [204, ""],
  ]) {
    const wires = network(answer);
    const state = begin();
    await settle();
    assert.equal(state.outcome, undefined, `${answer} was taken for the end`);
    assert.deepEqual(state.told, ["again"]);
    await advance(60);
    assert.equal(state.outcome?.ok, false, `${answer} was taken for "received"`);
    assert.equal(wires.posts.length, 6);
  }
});

test("a strange answer, then ours", async () => {
  page();
  const wires = network([200, "<html>"], stored);
  const state = begin();
  await advance(2);
  assert.deepEqual(state.outcome, { ok: true });
  assert.equal(wires.posts.length, 2);
});

test("a busy server is asked again, and what it says in the end is said", async () => {
  page();
  let wires = network([503, { code: "busy", message: "Please wait." }], undefined, stored);
  let state = begin();
  await advance(5);
  assert.deepEqual(state.outcome, { ok: true });
  assert.deepEqual(state.told, ["again", "again"]);
  assert.equal(wires.posts.length, 3);

  wires = network([503, { code: "busy", message: "Please wait." }]);
  state = begin();
  await advance(60);
  assert.deepEqual(state.outcome, { ok: false, code: "busy", message: "Please wait." });
});

test("a refusal is not tried again", async () => {
  page();
  const wires = network([422, { code: "page-empty", message: "The file is empty." }]);
  const state = begin();
  await settle();
  assert.deepEqual(state.outcome, { ok: false, code: "page-empty", message: "The file is empty." });
  assert.equal(wires.posts.length, 1);
});

test("a phone that says it is offline is not believed for ever", async () => {
  page({ onLine: false });
  const wires = network(stored);
  const state = begin();
  await advance(19);
  assert.equal(wires.posts.length, 0);
  assert.deepEqual(state.told, ["offline"]);
  await advance(1);
  assert.deepEqual(state.outcome, { ok: true });
});

test("back online, it is sent at once", async () => {
  const browser = page({ onLine: false });
  network(stored);
  const state = begin();
  await settle();
  browser.windowListeners.fire("online");
  await settle();
  assert.deepEqual(state.outcome, { ok: true });
  assert.equal(browser.windowListeners.listeners["online"].length, 0);
});
