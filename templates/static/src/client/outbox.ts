// What was reviewed goes from here: sealed, put on the shelf, and sent one
// page after the other until the server says that it has each.
import type { Draft } from "./draft";
import type { Sealed, Sealer } from "./seal";
import { fetchWithin, isBusy, mayPass, newKey, post, read, type Answer, type Line } from "./send";
import type { Kept, Shelf } from "./shelf";

export type State = "locking" | "waiting" | "sending" | "received" | "needs";

export interface Item {
  key: string;
  label: string;
  state: State;
  share: number; // of what is sent, 0 to 1
  why: string; // what it needs
  old: boolean; // from before this page was loaded
  kept: boolean; // its sealed bytes are on the shelf
  gone: boolean; // taken back; until the server was told, it can come again
  thumb?: Blob | undefined;
  plain?: Blob | undefined; // until it is received
  sealed?: Sealed | undefined; // unless on the shelf
  digest: string;
  serverSeals: boolean;
  told: string | undefined; // the label that the server has
  tries: number;
  refused: number;
  hold?: ReturnType<typeof setTimeout>; // until then
  due?: boolean; // gone, and the server may be told
}

// View is what the outbox tells.
export interface View {
  changed(): void;
  say(word: string, item?: Item, why?: string): void;
  over(late: boolean): void; // the server says that the link is
}

export interface Settings {
  base: string; // /send/ID
  left: number; // ms until the link ends
  browserOnly(): boolean; // the office's policy
  draw(content: Blob): Promise<Blob>; // a small picture for the list
}

// Pauses after the first and later failures, in ms; the last again and again.
const pauses = [1_000, 2_000, 4_000, 8_000, 15_000, 30_000];
// Phones are wrong at times about having no network: after this long a try is
// made all the same.
const offlinePatience = 20_000; // milliseconds
// How long "Undo" is offered.
const holdBack = 8_000; // milliseconds
// The server takes what began in time until this long after the end.
const grace = 15 * 60_000; // milliseconds
// A request that has not moved while the person was away for this long is
// begun anew.
const stuck = 15_000; // milliseconds
// Another window's turn is awaited for this long: phones stop windows that
// nobody looks at, in the middle of everything.
const turnPatience = 5 * 60_000; // milliseconds
// Codes of a page that did not get there whole, and how often that is believed.
const cutShort = ["page-digest", "bad-request"];
const cutShortMost = 5;

export class Outbox {
  readonly items: Item[] = [];
  private readonly ends: number;
  private arrived: string[] = []; // keys in the server's order
  private running = false;
  private ended = false;
  private wakeUp: (() => void) | undefined;
  private line: Line | undefined;
  private lineOf: Item | undefined;
  private lostAt = 0; // when the signal went, or the person
  private trouble = "";

  constructor(
    private readonly settings: Settings,
    private readonly sealer: Sealer,
    private readonly shelf: Shelf,
    private readonly view: View,
  ) {
    this.ends = Date.now() + settings.left + grace;
    window.addEventListener("offline", () => this.lost());
    window.addEventListener("online", () => this.back(0));
    document.addEventListener("visibilitychange", () => (document.hidden ? this.lost() : this.seen()));
    window.addEventListener("pagehide", () => this.leave());
  }

  // warm loads the worker that seals before the first page needs it.
  warm(): void {
    this.sealer.warm();
  }

  // count is of the pages in the list.
  get count(): number {
    return this.items.filter((item) => !item.gone).length;
  }

  // pending tells how many pages are on their way.
  get pending(): number {
    return this.items.filter((item) => !item.gone && ["locking", "waiting", "sending"].includes(item.state)).length;
  }

  get needing(): number {
    return this.items.filter((item) => !item.gone && item.state === "needs").length;
  }

  // atRisk tells whether closing the window would lose a page.
  get atRisk(): boolean {
    return !this.ended && this.items.some((item) => !item.gone && !item.kept && item.state !== "received");
  }

  // closed tells that the link is over: nothing can be sent any more.
  get closed(): boolean {
    return this.ended;
  }

  // drafting tells whether a page is being looked at that is not here yet.
  drafting: () => boolean = () => false;

  // drafted looks anew at whether there is such a page.
  drafted(): void {
    this.view.changed();
  }

  // settled tells whether the server knows everything.
  get settled(): boolean {
    return this.pending === 0 && !this.next() && !this.drafting();
  }

  // resume takes the pages that the server has and then those that wait on
  // the shelf from before.
  async resume(received: { key: string; label: string }[]): Promise<void> {
    for (const { key, label } of received) {
      this.items.push({ ...blank(key, label), state: "received", told: label, old: true });
      this.arrived.push(key);
    }
    if (received.length > 0) this.view.changed();
    await this.adopt();
  }

  // adopt takes up what waits on the shelf: from before a reload, or put there
  // by another window of this link.
  // It gives false when nobody can tell what waits there.
  async adopt(): Promise<boolean> {
    const list = await this.shelf.list(this.settings.base);
    for (const kept of list ?? []) {
      const known = this.items.find((item) => item.key === kept.key);
      if (known?.state === "received") await this.shelf.drop(kept.key); // only its answer was lost
      if (known) continue;
      const item = { ...blank(kept.key, kept.label), old: true, kept: true, digest: kept.digest };
      this.items.splice(Math.min(kept.place, this.items.length), 0, item);
    }
    this.view.changed();
    this.wake();
    return list !== undefined;
  }

  // add returns when the page is safe from a reload, or can only be kept in
  // memory; it is sent in the background.
  async add(draft: Draft): Promise<void> {
    const item: Item = { ...blank(draft.key, draft.label ?? ""), plain: draft.content, serverSeals: draft.serverSeals, state: "locking" };
    this.items.push(item);
    this.view.changed();
    if (draft.shown) void this.picture(item, draft.content);
    await this.lock(item);
    this.wake();
  }

  private async picture(item: Item, content: Blob): Promise<void> {
    item.thumb = await this.settings.draw(content).catch(() => undefined);
    this.view.changed();
  }

  // lock seals a page and puts it on the shelf. What cannot be sealed here
  // waits in memory, for the server to seal it; or, where the office wants
  // that never, for the person.
  private async lock(item: Item): Promise<void> {
    if (item.plain && (!item.serverSeals || this.settings.browserOnly())) {
      item.sealed = await this.sealer.seal(item.plain);
    }
    if (!item.sealed && this.settings.browserOnly()) return this.need(item, "", "no-lock");
    if (item.sealed) {
      item.digest = item.sealed.digest;
      await this.keep(item, item.sealed);
    }
    item.state = "waiting";
    if (!item.gone) this.announce(item);
    this.view.changed();
  }

  private announce(item: Item): void {
    if (!item.kept) return this.view.say("keep-open", item);
    if (navigator.onLine) return this.view.say("on-way", item);
    this.trouble = "offline";
    this.view.say("offline");
  }

  private async keep(item: Item, sealed: Sealed): Promise<void> {
    const { key, label, digest } = item;
    const kept: Kept = { key, label, digest, base: this.settings.base, place: this.place(item), at: Date.now(), expires: this.ends };
    item.kept = !item.gone && (await this.shelf.put(kept, await sealed.content.arrayBuffer()));
    if (item.gone || this.ended) {
      item.kept = false;
      await this.shelf.drop(key);
    }
    item.sealed = item.kept ? undefined : sealed;
  }

  private place(item: Item): number {
    return this.items.indexOf(item);
  }

  // retry takes up a page that needed the person.
  async retry(item: Item): Promise<void> {
    item.why = "";
    item.refused = 0;
    item.state = "locking";
    this.view.changed();
    if (!item.kept && !item.sealed) {
      this.sealer.again();
      await this.lock(item);
    }
    if (item.state === "locking") item.state = "waiting";
    this.view.changed();
    this.rouse();
  }

  relabel(item: Item, label: string): void {
    item.label = label;
    this.note();
    this.view.changed();
    this.wake();
  }

  // move puts a page one place up (-1) or down (1).
  move(item: Item, by: number): void {
    const stay = this.items.filter((one) => !one.gone);
    const other = stay[stay.indexOf(item) + by];
    if (!other) return;
    const [here, there] = [this.items.indexOf(item), this.items.indexOf(other)];
    this.items[here] = other;
    this.items[there] = item;
    this.note();
    this.view.changed();
    this.wake();
  }

  // note lets the shelf know labels and places.
  private note(): void {
    const changes = this.items.map(({ key, label, kept }, place) => ({ key, label, kept, place })).filter(({ kept }) => kept);
    void this.shelf.note(changes.map(({ key, label, place }) => ({ key, label, place })));
  }

  // remove takes a page back: from the shelf at once, from the server after a
  // while in which it can be undone.
  remove(item: Item): void {
    item.gone = true;
    if (this.lineOf === item) this.line?.cut();
    if (item.kept) void this.unkeep(item);
    item.hold = setTimeout(() => {
      item.due = true;
      this.view.changed();
      this.wake();
    }, holdBack);
    this.view.changed();
  }

  // unkeep takes the sealed bytes into memory, for "Undo". If the shelf does not
  // answer, or another window took them, "Undo" finds out what became of them.
  private async unkeep(item: Item): Promise<void> {
    const content = await this.shelf.content(item.key);
    if (!content) return;
    item.sealed = { content: new Blob([content]), digest: item.digest };
    item.kept = false;
    await this.shelf.drop(item.key);
    if (!item.gone && item.sealed) await this.keep(item, item.sealed); // undone meanwhile
  }

  undo(item: Item): void {
    if (item.due) return;
    clearTimeout(item.hold);
    item.gone = false;
    if (item.sealed) void this.keep(item, item.sealed);
    this.view.changed();
    this.wake();
  }

  // hurry ends the time for "Undo".
  hurry(): void {
    for (const item of this.items) item.due ||= item.gone;
    this.rouse();
  }

  // finish leaves nothing of this link on the phone.
  async finish(): Promise<void> {
    this.ended = true;
    await this.shelf.wipe(this.settings.base);
    for (const item of this.items) item.thumb = item.plain = item.sealed = undefined;
  }

  // leave is the window's last word: what was taken back is told now.
  private leave(): void {
    for (const item of this.items) {
      if (item.gone && this.known(item)) void this.take(item, true);
    }
  }

  private lost(): void {
    this.lostAt = Date.now();
    if (!navigator.onLine && this.pending > 0) this.troubled("offline");
  }

  private seen(): void {
    this.back(stuck);
    void this.adopt();
  }

  // back begins a request anew that has not moved since the signal or the
  // person went away: a slow line is not a dead one, but this one is.
  private back(away: number): void {
    if (this.line && this.line.moved <= this.lostAt && Date.now() - this.lostAt >= away) this.line.cut();
    if (this.trouble === "offline" && navigator.onLine) this.troubled("online");
    this.rouse();
  }

  // wake begins with what is to be done, unless a pause is being made.
  private wake(): void {
    void this.run();
  }

  // rouse ends the pause as well.
  private rouse(): void {
    this.wakeUp?.();
    this.wake();
  }

  // run does one errand after the other, without end while there are any. One
  // that failed is tried again after a pause.
  private async run(): Promise<void> {
    if (this.running) return;
    this.running = true;
    try {
      await this.errands();
    } finally {
      this.running = false;
    }
    this.view.changed();
  }

  private async errands(): Promise<void> {
    let failures = 0;
    for (let errand = this.next(); errand && !this.ended; errand = this.next()) {
      if (Date.now() > this.ends) {
        this.over();
        break;
      }
      if (!navigator.onLine) {
        this.troubled("offline");
        await this.pause(offlinePatience);
      }
      if (await errand()) {
        failures = 0;
        this.trouble = "";
        this.view.changed();
        continue;
      }
      // One failure in a row is nothing to be told of on a weak signal.
      if (++failures > 1 && navigator.onLine) this.troubled("again");
      this.view.changed();
      if (this.next()) await this.pause(pauses[Math.min(failures, pauses.length) - 1] ?? 0);
    }
  }

  private troubled(word: string): void {
    if (this.trouble === word) return;
    this.trouble = word;
    this.view.say(word);
    this.view.changed();
  }

  // offline tells whether the pages wait for a signal.
  get offline(): boolean {
    return this.trouble === "offline";
  }

  private pause(milliseconds: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, milliseconds);
      this.wakeUp = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }

  // next finds an errand. It gives true when that is done with.
  private next(): (() => Promise<boolean>) | undefined {
    const removed = this.items.find((item) => item.due && item.state !== "locking");
    if (removed) return () => this.take(removed);
    const waiting = this.items.find((item) => item.state === "waiting" && !item.gone);
    if (waiting) return () => this.turn(waiting);
    const received = this.items.filter((item) => item.state === "received" && !item.gone);
    const renamed = received.find((item) => item.told !== item.label);
    if (renamed) return () => this.rename(renamed);
    const order = received.map((item) => item.key);
    const known = this.arrived.filter((key) => order.includes(key));
    if (order.join() !== known.join()) return () => this.reorder(order);
    return undefined;
  }

  // turn sends one page while no other window of this link sends one.
  private async turn(item: Item): Promise<boolean> {
    if (!navigator.locks) return this.deliver(item);
    const patience = new AbortController();
    const timer = setTimeout(() => patience.abort(), turnPatience);
    let begun = false;
    try {
      return await navigator.locks.request(`dropslot ${this.settings.base}`, { signal: patience.signal }, () => {
        begun = true;
        clearTimeout(timer);
        return this.deliver(item);
      });
    } catch (fault) {
      if (begun) throw fault;
      return this.deliver(item); // the server takes the same page twice for one
    }
  }

  private async deliver(item: Item): Promise<boolean> {
    if (item.gone || this.ended) return true;
    let sealed = item.sealed;
    if (item.kept) {
      const content = await this.shelf.content(item.key);
      if (content === null) return this.missing(item);
      if (!content) return false;
      sealed = { content: new Blob([content]), digest: item.digest };
    } else if (!sealed && (this.settings.browserOnly() || (!item.serverSeals && item.tries === 0))) {
      this.sealer.again(); // the worker may come through now
      item.tries++;
      await this.lock(item);
      return true;
    }
    item.tries++;
    item.state = "sending";
    item.share = 0;
    this.lineOf = item;
    this.view.changed();
    const { key, label, plain } = item;
    const answer = await post(`${this.settings.base}/pages`, { key, label, plain, sealed, again: item.tries > 1 }, (share) => this.progress(item, share), (line) => {
      this.line = line;
    });
    this.line = this.lineOf = undefined;
    item.state = "waiting";
    if (answer.stored) return this.received(item, label);
    if (mayPass(answer)) return false;
    return this.refuse(item, answer, sealed);
  }

  private progress(item: Item, share: number): void {
    item.share = share;
    this.view.changed();
  }

  private async received(item: Item, label: string): Promise<boolean> {
    item.state = "received";
    item.told = label;
    item.plain = item.sealed = undefined;
    this.arrived.push(item.key);
    if (item.kept) {
      item.kept = false;
      await this.shelf.drop(item.key);
    }
    if (!item.gone) this.view.say("received", item);
    return true;
  }

  // missing is a page that another window of this link took from the shelf:
  // sent, or removed. The server's list tells which.
  private async missing(item: Item): Promise<boolean> {
    const there = await this.look();
    if (!there) return false;
    if (there.keys.includes(item.key)) return this.received(item, item.label);
    item.kept = false;
    if (!item.plain) return this.forget(item);
    await this.lock(item); // the browser itself cleared the shelf
    return true;
  }

  // look reads the page anew: what the server has, and the office's keys.
  private async look(): Promise<{ keys: string[]; recipients: string[] } | undefined> {
    try {
      const answer = await fetchWithin(this.settings.base);
      if (!answer.ok) return undefined;
      const page = new DOMParser().parseFromString(await answer.text(), "text/html");
      const settings = page.getElementById("settings");
      if (answer.redirected && answer.url.includes("/receipt")) this.over(); // another window is done
      if (!settings) return undefined;
      const items = Array.from(page.querySelectorAll<HTMLElement>("#list > li"));
      return {
        keys: items.map((item) => item.dataset["key"] ?? ""),
        recipients: (settings.dataset["recipients"] ?? "").split(" ").filter(Boolean),
      };
    } catch {
      return undefined;
    }
  }

  private forget(item: Item): boolean {
    this.items.splice(this.items.indexOf(item), 1);
    this.arrived = this.arrived.filter((key) => key !== item.key);
    return true;
  }

  private need(item: Item, message: string, word = "failed"): void {
    item.state = "needs";
    item.why = message;
    if (!item.gone) this.view.say(word, item, message);
    this.view.changed();
  }

  // refuse deals with what will not be taken however often it is sent.
  private async refuse(item: Item, answer: Answer, sealed: Sealed | undefined): Promise<boolean> {
    item.refused++;
    switch (answer.code) {
      case "link-expired":
      case "link-closed":
      case "not-found":
        this.over();
        return true;
      case "page-removed": // in another window
        if (item.kept) await this.shelf.drop(item.key);
        return this.forget(item);
      case "page-seal": // the office changed its keys while the page was open
        if (item.plain && item.refused === 1) return this.relock(item);
        this.need(item, "", "page-damaged");
        return true;
      case "page-conflict": // a key that was used is never used again
        if (item.refused > 1) break;
        if (item.kept) await this.shelf.drop(item.key);
        item.key = newKey();
        if (sealed) await this.keep(item, sealed);
        return true;
    }
    if (cutShort.includes(answer.code) && item.refused < cutShortMost) return false;
    this.need(item, answer.message);
    return true;
  }

  private async relock(item: Item): Promise<boolean> {
    const there = await this.look();
    if (!there) {
      item.refused--;
      return false;
    }
    this.sealer.recipients = there.recipients;
    await this.lock(item);
    return true;
  }

  private over(): void {
    const late = this.items.some((item) => !item.gone && item.state !== "received");
    void this.finish().then(() => this.view.over(late));
  }

  // known tells whether the server may have a page.
  private known(item: Item): boolean {
    return item.state === "received" || item.tries > 0 || item.old;
  }

  // take tells the server that a page was taken back.
  private async take(item: Item, last = false): Promise<boolean> {
    if (item.kept) await this.shelf.drop(item.key);
    if (!this.known(item)) return this.forget(item);
    const answer = await this.ask(`/pages/${item.key}`, { method: "DELETE", keepalive: last });
    // 404 and the like: it is not there, or the time is over.
    if (answer.status !== 204 && mayPass(answer)) return false;
    return this.forget(item);
  }

  private async rename(item: Item): Promise<boolean> {
    const { label } = item;
    const answer = await this.ask(`/pages/${item.key}/label`, { method: "POST", body: new URLSearchParams({ label }) });
    if (isBusy(answer.status)) return false;
    item.told = label; // or this server does not take it
    return true;
  }

  private async reorder(order: string[]): Promise<boolean> {
    const answer = await this.ask("/order", { method: "POST", body: new URLSearchParams(order.map((key) => ["page", key])) });
    if (isBusy(answer.status)) return false;
    this.arrived = order;
    return true;
  }

  private async ask(path: string, request: RequestInit): Promise<Answer> {
    try {
      const answer = await fetchWithin(this.settings.base + path, { ...request, headers: { Accept: "application/json" } });
      return read(answer.status, await answer.text());
    } catch {
      return { status: 0, stored: false, code: "", message: "" };
    }
  }
}

function blank(key: string, label: string): Item {
  return {
    key, label, state: "waiting", share: 0, why: "", old: false, kept: false, gone: false,
    digest: "", serverSeals: false, told: undefined, tries: 0, refused: 0,
  };
}
