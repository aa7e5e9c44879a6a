// Runs the page's script in Node: its source bundled in memory, on a page and
// a network of the tests' own making.
import { build } from "esbuild";
import { dirname, join } from "node:path";
import { mock } from "node:test";
import { fileURLToPath } from "node:url";

const source = join(dirname(fileURLToPath(import.meta.url)), "..", "src", "client");

// load gives the exports of one file of src/client.
export async function load(name) {
  const result = await build({
    entryPoints: [join(source, name)],
    bundle: true,
    write: false,
    format: "esm",
    target: "es2022",
    logLevel: "warning",
  });
  return import(`data:text/javascript;base64,${Buffer.from(result.outputFiles[0].contents).toString("base64")}`);
}

// Element is as much of an HTML element as the script asks for.
export class Element {
  hidden = false;
  disabled = false;
  textContent = "";
  value = "";
  files = [];
  selectedOptions = [];
  dataset = {};
  children = [];
  attributes = {};
  parts = {};
  listeners = {};
  classList = { add() {}, toggle() {} };

  addEventListener(kind, listener) {
    (this.listeners[kind] ??= []).push(listener);
  }
  fire(kind) {
    for (const listener of this.listeners[kind] ?? []) listener({ preventDefault() {} });
  }
  getAttribute(name) {
    return this.attributes[name] ?? null;
  }
  setAttribute(name, value) {
    this.attributes[name] = value;
  }
  removeAttribute(name) {
    delete this.attributes[name];
  }
  querySelector(name) {
    return (this.parts[name] ??= new Element());
  }
  append(child) {
    this.children.push(child);
  }
  cloneNode() {
    return new Element();
  }
  focus() {}
}

// network answers posts of pages from a list: [status, body] each, or
// undefined for none; the last one again and again. What was posted is in
// posts. Everything else that is asked gets 204, or what ask gives.
export function network(...answers) {
  const posts = [];
  const asked = [];
  const wires = { posts, asked, headers: [], ask: () => [204, ""] };
  globalThis.fetch = async (url, request = {}) => {
    asked.push(`${request.method ?? "GET"} ${url} ${request.body ?? ""}`.trim());
    const answer = wires.ask(url);
    if (!answer) throw new TypeError("no network");
    return { ok: answer[0] < 300, status: answer[0], text: async () => answer[1] };
  };
  globalThis.XMLHttpRequest = class {
    upload = {};
    open(method, url) {
      this.url = url;
    }
    setRequestHeader(name, value) {
      wires.headers.push(`${name}: ${value}`);
    }
    abort() {
      this.onabort();
    }
    send(body) {
      posts.push(body);
      const answer = answers[Math.min(posts.length, answers.length) - 1];
      queueMicrotask(() => {
        if (!answer) return this.onerror();
        [this.status, this.responseText] = [answer[0], typeof answer[1] === "string" ? answer[1] : JSON.stringify(answer[1])];
        this.onload();
      });
    }
  };
  return wires;
}

// page makes the globals of a browser, without a camera and without workers.
// Every word of the catalog is its own name with what fills it.
export function page({ onLine = true } = {}) {
  const elements = new Map();
  const get = (id) => {
    if (!elements.has(id)) elements.set(id, new Element());
    return elements.get(id);
  };
  const windowListeners = new Element();
  const documentListeners = new Element();
  get("settings").dataset = { base: "/send/x", suffix: "", pageBytes: "1000", longSide: "2400", recipients: "" };
  get("settings").getAttribute = (name) => `${name.slice("data-word-".length)}[{file}{why}{page}{number}]`;
  get("row").content = { firstElementChild: new Element() };
  const globals = {
    HTMLElement: Element,
    navigator: { onLine },
    document: {
      getElementById: get,
      querySelectorAll: () => [],
      addEventListener: (kind, listener) => documentListeners.addEventListener(kind, listener),
      hidden: false,
    },
    window: {
      addEventListener: (kind, listener) => windowListeners.addEventListener(kind, listener),
      removeEventListener: (kind, listener) => {
        windowListeners.listeners[kind] = (windowListeners.listeners[kind] ?? []).filter((other) => other !== listener);
      },
      setTimeout: (...all) => setTimeout(...all),
      location: { assign() {} },
    },
  };
  for (const [name, value] of Object.entries(globals)) {
    Object.defineProperty(globalThis, name, { value, configurable: true, writable: true });
  }
  return { get, windowListeners, documentListeners };
}

// settle lets everything run that waits for no clock.
export async function settle() {
  for (let turn = 0; turn < 20; turn++) await new Promise((resolve) => setImmediate(resolve));
}

// advance moves the mocked clock, a second at a time.
export async function advance(seconds) {
  for (let second = 0; second < seconds; second++) {
    await settle();
    mock.timers.tick(1000);
  }
  await settle();
}
