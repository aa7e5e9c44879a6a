import assert from "node:assert/strict";
import { afterEach, beforeEach, mock, test } from "node:test";
import { advance, load, network, page, settle } from "./kit.mjs";

const { Outbox } = await load("outbox.ts");
const stored = [201, { stored: true }];

beforeEach(() => mock.timers.enable({ apis: ["setTimeout", "Date"] }));
afterEach(() => mock.timers.reset());

// shelf is the phone's disk: it outlives a window.
function shelf({ full = false } = {}) {
  const disk = new Map();
  const gone = new Map();
  return {
    disk,
    gone,
    takeBack: async (key, base) => {
      gone.set(key, { key, base, at: Date.now(), told: false });
      const content = disk.get(key)?.content ?? null;
      disk.delete(key);
      return content;
    },
    giveBack: async (key) => {
      gone.delete(key);
      return true;
    },
    told: async ({ key, base }) => void gone.set(key, { key, base, at: Date.now(), told: true }),
    removals: async () => [...gone.values()],
    put: async (kept, content) => !full && Boolean(disk.set(kept.key, { kept: { ...kept }, content })),
    note: async (changes) => changes.forEach((change) => Object.assign(disk.get(change.key)?.kept ?? {}, change)),
    content: async (key) => disk.get(key)?.content ?? null,
    drop: async (...keys) => keys.forEach((key) => disk.delete(key)),
    list: async () => [...disk.values()].map(({ kept }) => kept).sort((a, b) => a.place - b.place),
    wipe: async () => {
      disk.clear();
      gone.clear();
    },
  };
}

const sealer = {
  warm() {},
  again() {},
  seal: async (plain) => ({ content: new Blob([`sealed ${await plain.text()}`]), digest: "d" }),
};
const noSealer = { ...sealer, seal: async () => undefined };

// open is a window of the page.
function open({ on = shelf(), by = sealer, browserOnly = false, left = 3_600_000, there = [], now = Date.now } = {}) {
  const told = [];
  const state = { told };
  const outbox = new Outbox({ base: "/send/x", left, now, browserOnly: () => browserOnly, draw: async () => new Blob() }, by, on, {
    changed() {},
    say: (word, item, why) => told.push([word, item?.key, why].filter(Boolean).join(" ")),
    over: (late) => (state.over = late),
  });
  state.ready = outbox.resume(there);
  return Object.assign(state, { outbox, on, find: (key) => outbox.items.find((item) => item.key === key) });
}

const draft = (key, more = {}) => ({ key, content: new Blob([key]), label: "", shown: false, serverSeals: false, fromCamera: true, ...more });

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
    [404, "<html>a captive portal</html>"],
  ]) {
    const wires = network(answer, answer, stored);
    const it = open();
    await it.outbox.add(draft("a"));
    await settle();
    assert.equal(it.find("a").state, "waiting", `${answer} was taken for "received"`);
    assert.equal(it.on.disk.size, 1);
    await advance(10);
    assert.equal(it.find("a").state, "received");
    assert.equal(wires.posts.length, 3);
    assert.equal(it.on.disk.size, 0);
  }
});

test("what goes on the shelf and over the line is sealed", async () => {
  page();
  const wires = network(undefined);
  const it = open();
  await it.outbox.add(draft("a", { label: "other" }));
  assert.equal(Buffer.from(it.on.disk.get("a").content).toString(), "sealed a");
  await settle();
  assert.equal(await wires.posts[0].text(), "sealed a");
  assert.ok(wires.headers.includes("Page-Id: a") && wires.headers.includes("Page-Label: other"));
});

test("tried without end, never more than half a minute apart", async () => {
  page();
  let wires = network([503, { code: "busy", message: "Please wait." }]);
  const it = open();
  await it.outbox.add(draft("a"));
  await advance(1_000);
  assert.ok(wires.posts.length > 30, `${wires.posts.length} tries`);
  assert.deepEqual(it.told, ["on-way a", "again"], "trouble is said once");
  wires = network(stored);
  await advance(30);
  assert.equal(it.find("a").state, "received");
  assert.equal(it.told.at(-1), "received a");
});

test("until the link's time is over: nothing stays on the phone", async () => {
  page();
  network(undefined);
  const it = open({ left: 60_000 });
  await it.outbox.add(draft("a"));
  await advance(60 + 15 * 60 + 31);
  assert.equal(it.over, true);
  assert.equal(it.on.disk.size, 0);
});

test("a refusal is not tried again, and holds up nobody else", async () => {
  page();
  const wires = network([422, { code: "page-empty", message: "The file is empty." }], stored);
  const it = open();
  await it.outbox.add(draft("a"));
  await it.outbox.add(draft("b"));
  await settle();
  assert.deepEqual([it.find("a").state, it.find("a").why, it.find("b").state], ["needs", "The file is empty.", "received"]);
  assert.ok(it.told.includes("failed a The file is empty."));
  await it.outbox.retry(it.find("a"));
  await settle();
  assert.equal(it.find("a").state, "received");
  assert.equal(wires.posts.length, 3);
});

test("a proxy's own 'too big' is not asked for ever", async () => {
  page();
  network([413, "<html>Request Entity Too Large</html>"]);
  const it = open();
  await it.outbox.add(draft("a"));
  await settle();
  assert.equal(it.find("a").state, "needs");
});

for (const code of ["link-closed", "link-expired"]) {
  test(`${code}: the shelf is empty, and the rest is said to be late`, async () => {
    page();
    network([409, { code, message: "" }]);
    const it = open();
    await it.outbox.add(draft("a"));
    await settle();
    assert.equal(it.over, true);
    assert.equal(it.on.disk.size, 0);
  });
}

test("a phone that says it is offline is not believed for ever", async () => {
  page({ onLine: false });
  const wires = network(stored);
  const it = open();
  await it.outbox.add(draft("a"));
  await advance(19);
  assert.equal(wires.posts.length, 0);
  assert.deepEqual(it.told, ["offline"]);
  await advance(1);
  assert.equal(it.find("a").state, "received");
});

test("back online, it is sent at once", async () => {
  const browser = page({ onLine: false });
  network(stored);
  const it = open();
  await it.outbox.add(draft("a"));
  await settle();
  globalThis.navigator.onLine = true;
  browser.windowListeners.fire("online");
  await settle();
  assert.deepEqual(it.told, ["offline", "online", "received a"]);
});

test("a window that died leaves its pages to the next one", async () => {
  page();
  network(undefined);
  const disk = shelf();
  const first = open({ on: disk });
  for (const key of ["a", "b", "c"]) await first.outbox.add(draft(key, { label: "other" }));
  await settle();
  // The answer for a was lost: the server has it.
  const wires = network(stored);
  mock.timers.reset();
  mock.timers.enable({ apis: ["setTimeout", "Date"] });
  const second = open({ on: disk, there: [{ key: "a", label: "other" }] });
  await second.ready;
  await settle();
  assert.deepEqual(second.outbox.items.map((item) => `${item.key} ${item.state} ${item.old}`), ["a received true", "b received true", "c received true"]);
  assert.deepEqual(await Promise.all(wires.posts.map((body) => body.text())), ["sealed b", "sealed c"]);
  assert.equal(disk.disk.size, 0);
});

test("a page that another window sent or removed is not sent twice", async () => {
  page({ onLine: false });
  const disk = shelf();
  network(undefined);
  const first = open({ on: disk });
  for (const key of ["a", "b"]) await first.outbox.add(draft(key));
  globalThis.navigator.onLine = true;
  const wires = network(stored);
  wires.ask = () => [200, ""];
  globalThis.DOMParser = class {
    parseFromString() {
      return { getElementById: () => ({ dataset: {} }), querySelectorAll: () => [{ dataset: { key: "a" } }] };
    }
  };
  const list = disk.list;
  disk.list = async () => {
    const found = await list();
    disk.disk.clear(); // between the look at the shelf and the turn
    return found;
  };
  const second = open({ on: disk });
  await second.ready;
  await settle();
  assert.deepEqual(second.outbox.items.map((item) => `${item.key} ${item.state}`), ["a received", "b needs"]);
  assert.ok(second.told.includes("file-gone b"), "a reviewed page does not go without a word");
  assert.equal(wires.posts.length, 0);
});

test("what another window put on the shelf is waited for", async () => {
  page({ onLine: false });
  const disk = shelf();
  network(undefined);
  const early = open({ on: disk });
  await early.ready;
  await open({ on: disk }).outbox.add(draft("a"));
  assert.ok(early.outbox.settled);
  await early.outbox.adopt(); // "I'm done"
  assert.deepEqual([early.outbox.settled, early.outbox.pending], [false, 1]);
});

test("a page sealed to old keys: sealed anew, or the person takes it again", async () => {
  page({ onLine: false });
  const disk = shelf();
  const answer = [422, { code: "page-seal", message: "Load this page again." }];
  const wires = network(answer, stored);
  wires.ask = () => [200, ""];
  globalThis.DOMParser = class {
    parseFromString() {
      return { getElementById: () => ({ dataset: { recipients: "new keys" } }), querySelectorAll: () => [] };
    }
  };
  const by = { ...sealer };
  const it = open({ on: shelf({ full: true }), by });
  await it.outbox.add(draft("a"));
  globalThis.navigator.onLine = true;
  it.outbox.hurry();
  await settle();
  assert.deepEqual([it.find("a").state, by.recipients], ["received", ["new", "keys"]]);

  page({ onLine: false });
  await open({ on: disk }).outbox.add(draft("b"));
  globalThis.navigator.onLine = true;
  network(answer);
  const next = open({ on: disk });
  await next.ready;
  await settle();
  assert.equal(next.find("b").state, "needs");
  assert.ok(next.told.includes("page-damaged b"));
});

test("no room on the phone: in memory, and said so", async () => {
  page();
  network(undefined, stored);
  const it = open({ on: shelf({ full: true }) });
  await it.outbox.add(draft("a"));
  assert.deepEqual([it.told, it.outbox.atRisk], [["keep-open a"], true]);
  await advance(2);
  assert.deepEqual([it.find("a").state, it.outbox.atRisk], ["received", false]);
});

test("what the server seals stays in memory", async () => {
  page();
  const wires = network(stored);
  const it = open();
  await it.outbox.add(draft("a", { serverSeals: true }));
  await settle();
  assert.equal(await wires.posts[0].get("page").text(), "a");
  assert.equal(it.on.disk.size, 0);
});

test("browser-only: nothing leaves unsealed", async () => {
  page();
  const wires = network(stored);
  const it = open({ by: noSealer, browserOnly: true });
  await it.outbox.add(draft("a"));
  await it.outbox.add(draft("b", { serverSeals: true }));
  await advance(60);
  assert.deepEqual([it.find("a").state, it.find("b").state, wires.posts.length], ["needs", "needs", 0]);
  assert.ok(it.told.includes("no-lock a"));
  const able = open({ browserOnly: true });
  await able.outbox.add(draft("a", { serverSeals: true }));
  await settle();
  assert.equal(await wires.posts[0].text(), "sealed a");
});

test("a removal can be undone until I'm done, then the server hears of it", async () => {
  page();
  const wires = network(stored);
  const it = open();
  await it.outbox.add(draft("a"));
  await it.outbox.add(draft("b"));
  await settle();
  it.outbox.remove(it.find("a"));
  await advance(1_200);
  it.outbox.undo(it.find("a"));
  await advance(20);
  assert.deepEqual([wires.asked, it.outbox.count], [[], 2]);
  it.outbox.remove(it.find("a"));
  it.outbox.remove(it.find("b"));
  assert.deepEqual([it.outbox.count, it.outbox.settled], [0, true], "nothing waits for it");
  await advance(4);
  it.outbox.hurry(); // "I'm done"
  assert.equal(it.outbox.settled, false, "the end waits for the server to hear");
  await settle();
  assert.deepEqual(wires.asked, ["DELETE /send/x/pages/a", "DELETE /send/x/pages/b"]);
});

test("a removal that nobody ends is told while the link still works", async () => {
  page();
  const wires = network(stored);
  const it = open({ left: 600_000 });
  await it.outbox.add(draft("a"));
  await settle();
  it.outbox.remove(it.find("a"));
  await advance(500);
  assert.deepEqual(wires.asked, []);
  await advance(41);
  assert.deepEqual([wires.asked, it.outbox.items.length], [["DELETE /send/x/pages/a"], 0]);
});

// locked makes the browser's locks, one holder after the other.
function locked() {
  const turns = new Map();
  globalThis.navigator.locks = {
    request(name, ...rest) {
      const turn = (turns.get(name) ?? Promise.resolve()).then(() => rest.at(-1)());
      turns.set(name, turn.catch(() => undefined));
      return turn;
    },
  };
}

test("while one window may undo it, no other tells the server", async () => {
  page();
  locked();
  const disk = shelf();
  const wires = network(stored);
  const one = open({ on: disk });
  await one.outbox.add(draft("a"));
  await settle();
  one.outbox.remove(one.find("a"));
  await settle();
  const other = open({ on: disk, there: [{ key: "a", label: "" }] });
  await other.ready;
  await advance(60);
  assert.deepEqual([wires.asked, other.outbox.count], [[], 0]);
  one.outbox.undo(one.find("a"));
  await advance(30);
  assert.deepEqual([wires.asked, one.outbox.count, other.outbox.count], [[], 1, 1]);
  one.outbox.remove(one.find("a"));
  await settle();
  await other.outbox.adopt();
  one.outbox.hurry();
  await advance(30);
  assert.deepEqual([[...new Set(wires.asked)], one.outbox.count, other.outbox.count], [["DELETE /send/x/pages/a"], 0, 0]);
});

test("a removal before it was sent, undone", async () => {
  const browser = page({ onLine: false });
  const wires = network(stored);
  const it = open();
  await it.outbox.add(draft("a"));
  it.outbox.remove(it.find("a"));
  await settle();
  assert.equal(it.on.disk.size, 0);
  it.outbox.undo(it.find("a"));
  await settle();
  assert.equal(it.on.disk.size, 1);
  globalThis.navigator.onLine = true;
  browser.windowListeners.fire("online");
  await settle();
  assert.equal(await wires.posts[0].text(), "sealed a");
});

test("closing the window tells what was taken back", async () => {
  const browser = page();
  const wires = network(stored);
  const it = open();
  await it.outbox.add(draft("a"));
  await settle();
  it.outbox.remove(it.find("a"));
  browser.windowListeners.fire("pagehide");
  await settle();
  assert.deepEqual(wires.asked, ["DELETE /send/x/pages/a"]);
});

test("who looks away may have left: what was taken back is told, once, whatever is on its way", async () => {
  const browser = page();
  const wires = network(stored, undefined);
  const it = open();
  await it.outbox.add(draft("a"));
  await settle();
  await it.outbox.add(draft("b")); // it does not come through
  await settle();
  it.outbox.remove(it.find("a"));
  globalThis.document.hidden = true;
  browser.documentListeners.fire("visibilitychange");
  assert.equal(it.outbox.settled, false, "the end waits for the answer");
  await settle();
  assert.deepEqual([wires.asked, it.outbox.items.map((item) => item.key)], [["DELETE /send/x/pages/a"], ["b"]]);
});

test("what could not be told as the person looked away is told later", async () => {
  const browser = page();
  const wires = network(stored);
  const it = open();
  await it.outbox.add(draft("a"));
  await settle();
  it.outbox.remove(it.find("a"));
  wires.ask = () => undefined;
  globalThis.document.hidden = true;
  browser.documentListeners.fire("visibilitychange");
  await settle();
  assert.equal(it.outbox.settled, false);
  wires.ask = () => [204, ""];
  await advance(5);
  assert.deepEqual([it.outbox.settled, it.outbox.items.length], [true, 0]);
});

test("labels and order reach the server, and one that does not take them is left alone", async () => {
  page();
  for (const answer of [[204, ""], [404, "{}"], [405, ""]]) {
    const wires = network(stored);
    wires.ask = () => answer;
    const it = open();
    for (const key of ["a", "b"]) await it.outbox.add(draft(key));
    await settle();
    it.outbox.relabel(it.find("a"), "other");
    it.outbox.move(it.find("b"), -1);
    await settle();
    assert.deepEqual(wires.asked, ["POST /send/x/pages/a/label label=other", "POST /send/x/order page=b&page=a"]);
    assert.ok(it.outbox.settled);
  }
});

test("the order of waiting pages is that of the list, also in the next window", async () => {
  page({ onLine: false });
  network(undefined);
  const disk = shelf();
  const first = open({ on: disk });
  for (const key of ["a", "b", "c"]) await first.outbox.add(draft(key));
  first.outbox.move(first.find("c"), -1);
  await settle();
  const second = open({ on: disk });
  await second.ready;
  assert.deepEqual(second.outbox.items.map((item) => item.key), ["a", "c", "b"]);
});

// listed lets the page that the server gives list these keys.
function listed(wires, ...keys) {
  wires.ask = (url) => (url === "/send/x" ? [200, ""] : [204, ""]);
  globalThis.DOMParser = class {
    parseFromString() {
      return { getElementById: () => ({ dataset: {} }), querySelectorAll: () => keys.map((key) => ({ dataset: { key } })) };
    }
  };
}

const conflict = [409, { code: "page-conflict", message: "" }];

test("a page that another window sent, sealed once more, is there once", async () => {
  page();
  const wires = network(conflict);
  listed(wires, "a");
  const it = open();
  await it.outbox.add(draft("a"));
  await settle();
  assert.deepEqual(it.outbox.items.map((item) => `${item.key} ${item.state}`), ["a received"]);
  assert.equal(wires.posts.length, 1);
  assert.equal(it.on.disk.size, 0);
});

test("a conflict with a page that was removed that moment", async () => {
  page();
  const wires = network(conflict, [410, { code: "page-removed", message: "" }]);
  listed(wires);
  const it = open();
  await it.outbox.add(draft("a"));
  await advance(5);
  assert.deepEqual([it.outbox.items.length, it.on.disk.size], [0, 0]);
});

test("a page that was removed in one window does not come back from the other", async () => {
  page({ onLine: false });
  const disk = shelf();
  const wires = network(stored);
  const maker = open({ on: disk }); // it has the photograph in memory, too
  await maker.outbox.add(draft("a"));
  const remover = open({ on: disk });
  await remover.ready;
  remover.outbox.remove(remover.find("a"));
  await settle();
  globalThis.navigator.onLine = true;
  maker.outbox.hurry();
  await advance(20);
  assert.deepEqual(wires.posts, []);
  assert.deepEqual([maker.outbox.count, remover.outbox.count], [0, 0]);
  // Nor when it asks after the server has been told.
  const late = open({ on: disk, there: [] });
  await late.ready;
  await settle();
  assert.deepEqual([late.outbox.items.length, wires.posts.length], [0, 0]);
});

test("undone in its window, it is sent from either", async () => {
  page({ onLine: false });
  const disk = shelf();
  const wires = network(stored);
  const one = open({ on: disk });
  await one.outbox.add(draft("a"));
  one.outbox.remove(one.find("a"));
  await settle();
  const other = open({ on: disk });
  await other.ready;
  await advance(3);
  one.outbox.undo(one.find("a"));
  await settle();
  assert.equal(disk.gone.size, 0);
  globalThis.navigator.onLine = true;
  one.outbox.hurry();
  await advance(30);
  assert.equal(one.find("a").state, "received");
  assert.equal(wires.posts.length, 1);
});

test("a removal said without a signal outlives the window", async () => {
  page();
  let wires = network(stored);
  const disk = shelf();
  const first = open({ on: disk });
  await first.outbox.add(draft("a"));
  await settle();
  globalThis.navigator.onLine = false;
  wires.ask = () => undefined;
  first.outbox.remove(first.find("a"));
  await advance(10);
  assert.ok(first.outbox.atRisk, "closing now may leave the page with the office");

  page();
  wires = network(stored);
  const second = open({ on: disk, there: [{ key: "a", label: "" }] });
  await second.ready;
  assert.equal(second.outbox.count, 0, "it is not listed as if it were wanted");
  await advance(11);
  assert.deepEqual(wires.asked, ["DELETE /send/x/pages/a"]);
  assert.ok(!second.outbox.atRisk);
});

for (const [status, code] of [[404, "page-unknown"], [410, "page-removed"]]) {
  test(`a removal is done with at ${code}`, async () => {
    page();
    const wires = network(stored);
    wires.ask = () => [status, JSON.stringify({ code, message: "" })];
    const it = open();
    await it.outbox.add(draft("a"));
    await settle();
    it.outbox.remove(it.find("a"));
    it.outbox.hurry();
    await advance(9);
    assert.deepEqual([it.outbox.items.length, it.outbox.settled, it.over], [0, true, undefined]);
  });
}

for (const [status, code] of [[410, "link-expired"], [409, "link-closed"]]) {
  test(`a removal that met ${code} is said to be too late`, async () => {
    page();
    const wires = network(stored);
    wires.ask = () => [status, JSON.stringify({ code, message: "" })];
    const it = open();
    await it.outbox.add(draft("a"));
    await settle();
    it.outbox.remove(it.find("a"));
    it.outbox.hurry();
    await advance(9);
    assert.equal(it.over, true);
  });
}

test("a removal that somebody else answered is told again", async () => {
  page();
  const wires = network(stored);
  wires.ask = () => [404, "<html>a captive portal</html>"];
  const it = open();
  await it.outbox.add(draft("a"));
  await settle();
  it.outbox.remove(it.find("a"));
  it.outbox.hurry();
  await advance(9);
  assert.equal(it.outbox.settled, false);
  wires.ask = () => [204, ""];
  await advance(10);
  assert.equal(it.outbox.settled, true);
});

test("a phone's clock that is set forward loses nothing", async () => {
  page({ onLine: false });
  const wires = network(stored);
  let clock = 0;
  const it = open({ now: () => clock, left: 60_000 });
  await it.outbox.add(draft("a"));
  mock.timers.setTime(Date.now() + 86_400_000);
  globalThis.navigator.onLine = true;
  it.outbox.hurry();
  await settle();
  assert.deepEqual([it.over, it.find("a").state, wires.posts.length], [undefined, "received", 1]);
});

test("a file that the phone does not give out any more ends in words, and the others go on", async () => {
  page();
  const wires = network(undefined, stored);
  const it = open({ by: noSealer });
  await it.outbox.add(draft("a", { serverSeals: true }));
  it.find("a").plain.arrayBuffer = () => Promise.reject(new DOMException("gone", "NotFoundError"));
  await it.outbox.add(draft("b", { serverSeals: true }));
  await advance(10);
  assert.deepEqual([it.find("a").state, it.find("b").state, wires.posts.length], ["needs", "received", 2]);
  assert.ok(it.told.includes("file-gone a"));
  await it.outbox.retry(it.find("a"));
  await advance(10);
  assert.deepEqual([it.find("a").state, wires.posts.length], ["needs", 2], "nothing empty is sent");
});

test("browser-only: a file that is gone is not said to be one that could not be locked", async () => {
  page();
  network(stored);
  const it = open({ by: noSealer, browserOnly: true });
  const gone = draft("a");
  gone.content.arrayBuffer = () => Promise.reject(new DOMException("gone", "NotFoundError"));
  await it.outbox.add(gone);
  assert.deepEqual(it.told, ["file-gone a"]);
});

test("the shelf says when the link ends by the phone's clock, whatever clock the page goes by", async () => {
  page();
  network(undefined);
  const it = open({ now: () => 1_234, left: 60_000 });
  await it.outbox.add(draft("a"));
  assert.equal(it.on.disk.get("a").kept.expires, Date.now() + 60_000 + 15 * 60_000);
  assert.equal(it.find("a").plain, undefined, "what is on the shelf is not in memory in clear");
});

test("an Undo that the shelf did not take is tried again, and the page waits for it", async () => {
  page();
  const wires = network(stored);
  const it = open();
  globalThis.navigator.onLine = false;
  await it.outbox.add(draft("a"));
  it.outbox.remove(it.find("a"));
  await settle();
  const { giveBack } = it.on;
  it.on.giveBack = async () => false;
  globalThis.navigator.onLine = true;
  it.outbox.undo(it.find("a"));
  await advance(3);
  assert.deepEqual([wires.posts.length, it.outbox.atRisk], [0, true]);
  it.on.giveBack = giveBack;
  await advance(30);
  assert.deepEqual([it.on.gone.size, it.find("a").state], [0, "received"]);
});

test("closing one window leaves another's Undo alone", async () => {
  const browser = page();
  const wires = network(stored);
  const disk = shelf();
  const one = open({ on: disk });
  await one.outbox.add(draft("a"));
  await settle();
  one.outbox.remove(one.find("a"));
  await settle();
  browser.windowListeners.listeners = {};
  const other = open({ on: disk, there: [{ key: "a", label: "" }] });
  await other.ready;
  browser.windowListeners.fire("pagehide");
  await settle();
  assert.deepEqual(wires.asked, []);
});

test("a browser that the server does not know keeps its pages, and no removal counts as done", async () => {
  page();
  const wires = network(stored);
  wires.ask = () => [404, JSON.stringify({ code: "not-found", message: "" })];
  const it = open();
  await it.outbox.add(draft("a"));
  await settle();
  it.outbox.remove(it.find("a"));
  it.outbox.hurry();
  await advance(9);
  assert.deepEqual([it.over, it.on.gone.get("a")?.told], [false, false]);
  network([404, { code: "not-found", message: "" }]);
  const next = open();
  await next.outbox.add(draft("b"));
  await settle();
  assert.deepEqual([next.over, next.on.disk.size], [false, 1]);
});

test("a removal that is refused holds up no page, and is told in the end", async () => {
  page();
  const wires = network(stored);
  wires.ask = () => [403, JSON.stringify({ code: "forbidden", message: "" })];
  const it = open();
  await it.outbox.add(draft("a"));
  await settle();
  it.outbox.remove(it.find("a"));
  it.outbox.hurry();
  await settle();
  await it.outbox.add(draft("b"));
  await advance(10);
  assert.equal(it.find("b").state, "received");
  await advance(60);
  assert.ok(it.told.includes("not-removed a"));
  assert.deepEqual([it.find("a").state, it.outbox.count, it.outbox.settled], ["needs", 2, true]);
});

test("a sealer that breaks leaves no page half done", async () => {
  page();
  network(stored);
  const it = open({ by: { ...sealer, seal: () => Promise.reject(new Error("no memory")) } });
  await it.outbox.add(draft("a"));
  await advance(5);
  assert.equal(it.find("a").state, "received");
});

test("whatever fails while a page is put away, the page is told of and can be sent", async () => {
  page();
  network(stored);
  const it = open();
  const { put } = it.on;
  it.on.put = () => Promise.reject(new Error("nobody thought of it"));
  await it.outbox.add(draft("a"));
  assert.deepEqual([it.find("a").state, it.told], ["needs", ["failed a"]]);
  it.on.put = put;
  await it.outbox.retry(it.find("a"));
  await settle();
  assert.equal(it.find("a").state, "received");
});

test("the print of a page goes with it", async () => {
  page();
  network(stored);
  const it = open();
  const print = new Uint8Array([1]);
  await it.outbox.add(draft("a"), print);
  assert.deepEqual(it.outbox.prints, [print]);
  it.outbox.remove(it.find("a"));
  assert.deepEqual(it.outbox.prints, []);
  it.outbox.undo(it.find("a"));
  assert.deepEqual(it.outbox.prints, [print]);
});
