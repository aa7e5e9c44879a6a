import assert from "node:assert/strict";
import { test } from "node:test";
import { load, page } from "./kit.mjs";

const { Shelf } = await load("shelf.ts");
const { Sealer } = await load("seal.ts");
const { sweep } = await load("start.ts");

// indexedDB is as much of the browser's as the shelf asks for; written tells
// how durable each change was.
function disk() {
  const stores = new Map();
  const written = [];
  const later = (request, result) => {
    queueMicrotask(() => {
      request.result = result;
      request.onsuccess?.();
    });
    return request;
  };
  const store = (name) => {
    const held = stores.get(name);
    return {
      put: (value, key) => later({}, held.set(key ?? value.key, value)),
      get: (key) => later({}, held.get(key)),
      getAll: () => later({}, [...held.values()]),
      delete: (key) => later({}, held.delete(key)),
    };
  };
  const database = {
    objectStoreNames: { contains: (name) => stores.has(name) },
    createObjectStore: (name) => stores.set(name, new Map()),
    close() {},
    transaction(_, mode, { durability }) {
      if (mode === "readwrite") written.push(durability);
      const change = { objectStore: store };
      setImmediate(() => change.oncomplete());
      return change;
    },
  };
  globalThis.indexedDB = {
    open() {
      const request = { result: database };
      queueMicrotask(() => {
        request.onupgradeneeded();
        request.onsuccess();
      });
      return request;
    },
  };
  return { written };
}

const parcel = (more) => ({ key: "a", label: "", digest: "d", base: "/send/x", place: 0, at: Date.now(), expires: Date.now() + 60_000, ...more });

test("what a removal and its Undo write is on the disk before it counts", async () => {
  page();
  const { written } = disk();
  const shelf = new Shelf();
  await shelf.put(parcel(), new ArrayBuffer(1));
  await shelf.takeBack("a", "/send/x", Date.now() + 60_000);
  assert.equal(await shelf.giveBack("a"), true);
  assert.deepEqual(written, ["strict", "strict", "strict"]);
});

test("only what is over by the server's word goes, and nothing while a link is opened", async () => {
  page();
  disk();
  const shelf = new Shelf();
  await shelf.put(parcel({ expires: Date.now() - 1 }), new ArrayBuffer(1));
  await shelf.put(parcel({ key: "b", base: "/send/y" }), new ArrayBuffer(1));
  assert.deepEqual(await shelf.overdue(), ["/send/x"]);
  let asked = 0;
  globalThis.fetch = async () => {
    asked++;
    return { ok: false, status: 404, redirected: false, text: async () => JSON.stringify({ code: "not-found" }) };
  };
  await sweep("/c/token");
  assert.deepEqual([asked, (await shelf.list("/send/x")).length], [0, 1]);
  await sweep("/");
  assert.deepEqual([asked, (await shelf.list("/send/x")).length, (await shelf.list("/send/y")).length], [1, 0, 1]);
});

test("a removal of a link that is over is forgotten too", async () => {
  page();
  disk();
  const shelf = new Shelf();
  await shelf.takeBack("a", "/send/x", Date.now() - 1);
  await shelf.told({ key: "b", base: "/send/y", expires: Date.now() + 60_000 });
  assert.deepEqual(await shelf.overdue(), ["/send/x"]);
  globalThis.fetch = async () => ({ ok: false, status: 410, redirected: false, text: async () => JSON.stringify({ code: "link-expired" }) });
  await sweep("/");
  assert.deepEqual([(await shelf.removals("/send/x")).length, (await shelf.removals("/send/y")).length], [0, 1]);
});

test("a worker that cannot be given the page is one that cannot seal", async () => {
  page();
  globalThis.Worker = class {
    postMessage() {
      throw new DOMException("no memory", "DataCloneError");
    }
    terminate() {}
  };
  assert.equal(await new Sealer("/worker.js", ["age1"]).seal(new Blob(["a"])), undefined);
});
