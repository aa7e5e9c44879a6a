// What was reviewed goes from here: sealed, put on the shelf, and sent one
// page after the other until the server says that it has each.
import type { Draft } from "./draft";
import { blank, readable, sendable, type Item } from "./item";
import type { Sealed, Sealer } from "./seal";
import { ask, ended, fetchWithin, isBusy, mayPass, pauseAfter, post, type Answer, type Line } from "./send";
import type { Kept, Removal, Shelf } from "./shelf";

// View is what the outbox tells.
export interface View {
  changed(): void;
  say(word: string, item?: Item, why?: string): void;
  over(late: boolean): void; // the server says that the link is
}

export interface Settings {
  base: string; // /send/ID
  left: number; // ms until the link ends
  now(): number; // ms of a clock that nobody sets
  browserOnly(): boolean; // the office's policy
  draw(content: Blob): Promise<Blob>; // a small picture for the list
}

// Phones are wrong at times about having no network: after this long a try is
// made all the same.
const offlinePatience = 20_000; // milliseconds
// "Undo" is offered until "I'm done", until the person leaves, or until so long
// before the link ends: the server must hear of a removal while it takes one.
const lastUndo = 60_000; // milliseconds
// A window that is gone without a word leaves its removals on the shelf. So long
// after they were said, the next one tells them.
const holdBack = 10_000; // milliseconds
// The server takes what began in time until this long after the end.
const grace = 15 * 60_000; // milliseconds
// A request that has not moved while the person was away for this long is
// begun anew.
const stuck = 15_000; // milliseconds
// Another window's turn is awaited for this long: phones stop windows that
// nobody looks at, in the middle of everything.
const turnPatience = 5 * 60_000; // milliseconds
// A removal that failed this often lets everything else pass, and one that was
// refused this often is left to the person.
const removalsFirst = 3;
const removalsMost = 5;
// Codes of a page that did not get there whole, and how often that is believed.
const cutShort = ["page-digest", "bad-request"];
const cutShortMost = 5;

// remaining is what is left of a time that began then, by the phone's clock,
// which may be set meanwhile.
function remaining(from: number, milliseconds: number): number {
  return Math.min(Math.max(from + milliseconds - Date.now(), 0), milliseconds);
}

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
    this.ends = settings.now() + settings.left + grace;
    window.addEventListener("offline", () => this.lost());
    window.addEventListener("online", () => this.back(0));
    document.addEventListener("visibilitychange", () => (document.hidden ? this.away() : this.seen()));
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

  // arrivals is how many pages of the list the server has.
  get arrivals(): number {
    return this.items.filter((item) => !item.gone && item.state === "received").length;
  }

  // prints are of the pages in the list that this window made.
  get prints(): Uint8Array[] {
    return this.items.flatMap((item) => (item.print && !item.gone ? [item.print] : []));
  }

  // staying are the pages that were taken back, but not by the server.
  get staying(): Item[] {
    return this.items.filter((item) => item.stays && !item.gone);
  }

  // atRisk tells whether closing the window would lose a page, or leave one
  // with the office that the person took back: what stands on the shelf is told
  // when the page is opened again, which may be never.
  get atRisk(): boolean {
    if (this.ended) return false;
    return this.items.some((item) => {
      if (item.gone) return this.known(item) && (!item.noted || !navigator.onLine || this.trouble !== "");
      if (item.noted && !item.stays) return true; // it was brought back, but its removal still stands
      return !item.kept && item.state !== "received";
    });
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
    return this.pending === 0 && !this.next() && !this.items.some((item) => item.telling) && !this.drafting();
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

  // adopt takes up what stands on the shelf: from before a reload, or put there
  // by another window of this link.
  // It gives false when nobody can tell what waits there.
  async adopt(): Promise<boolean> {
    const removals = await this.shelf.removals(this.settings.base);
    for (const removal of removals ?? []) this.hear(removal);
    const list = await this.shelf.list(this.settings.base);
    for (const kept of list ?? []) {
      const known = this.items.find((item) => item.key === kept.key);
      if (known?.state === "received") await this.shelf.drop(kept.key); // only its answer was lost
      if (known) continue;
      const item = { ...blank(kept.key, kept.label), old: true, kept: true, shelved: true, digest: kept.digest };
      this.items.splice(Math.min(kept.place, this.items.length), 0, item);
    }
    this.view.changed();
    this.wake();
    return list !== undefined;
  }

  // hear takes up a removal that another window, or this one before a reload,
  // did not tell yet. While it may be undone there, it is not told here.
  private hear(removal: Removal): void {
    const item = this.items.find((one) => one.key === removal.key);
    if (item?.gone || item?.noted) return;
    if (!item) {
      if (!removal.told) this.items.push({ ...blank(removal.key, ""), old: true, gone: true, goneAt: removal.at, noted: true, due: true });
      return;
    }
    if (this.lineOf === item) this.line?.cut();
    if (removal.told && item.state !== "received") {
      this.forget(item);
      return;
    }
    item.gone = item.noted = item.heard = true;
    item.goneAt = removal.at;
    void this.alone(item).then(() => item.heard && this.holdFor(item, remaining(removal.at, holdBack)));
  }

  // alone waits until no other window holds a page back for its "Undo". Where
  // windows cannot tell each other, the time that is left has to do.
  private async alone(item: Item): Promise<void> {
    await navigator.locks?.request(this.undoLock(item), () => undefined).catch(() => undefined);
  }

  // lockUndo lets the other windows see that a page may be undone here.
  private lockUndo(item: Item): void {
    if (item.release) return;
    const held = new Promise<void>((resolve) => (item.release = resolve));
    void navigator.locks?.request(this.undoLock(item), () => held).catch(() => undefined);
  }

  private undoLock(item: Item): string {
    return `dropslot undo ${this.settings.base} ${item.key}`;
  }

  // add returns when the page is safe from a reload, or can only be kept in
  // memory; it is sent in the background.
  async add(draft: Draft, print?: Uint8Array): Promise<void> {
    const item: Item = { ...blank(draft.key, draft.label ?? ""), print, plain: draft.content, serverSeals: draft.serverSeals, state: "locking" };
    this.items.push(item);
    this.view.changed();
    if (draft.shown) void this.picture(item, draft.content);
    await this.lock(item);
    this.wake();
  }

  // has tells whether a page is in the list.
  has(key: string): boolean {
    return this.items.some((item) => item.key === key);
  }

  private async picture(item: Item, content: Blob): Promise<void> {
    item.thumb = await this.settings.draw(content).catch(() => undefined);
    this.view.changed();
  }

  // lock seals a page and puts it on the shelf. What cannot be sealed here
  // waits in memory, for the server to seal it; or, where the office wants
  // that never, for the person.
  private lock(item: Item): Promise<void> {
    return this.putAway(item).catch(() => this.need(item, ""));
  }

  private async putAway(item: Item): Promise<void> {
    if (item.plain && (!item.serverSeals || this.settings.browserOnly())) {
      item.sealed = await this.sealer.seal(item.plain).catch(() => undefined);
    }
    if (!item.sealed && item.plain && !(await readable(item.plain))) return this.lose(item);
    if (!item.sealed && this.settings.browserOnly()) return this.need(item, "", "no-lock");
    if (item.sealed) {
      item.digest = item.sealed.digest;
      await this.keep(item, item.sealed);
    }
    item.state = "waiting";
    if (!item.gone) this.announce(item);
    this.view.changed();
  }

  // lose is for a file that the phone does not give out any more.
  private lose(item: Item): void {
    item.plain = undefined;
    this.need(item, "", "file-gone");
  }

  private announce(item: Item): void {
    if (!item.kept) return this.view.say("keep-open", item);
    if (navigator.onLine) return this.view.say("on-way", item);
    this.trouble = "offline";
    this.view.say("offline");
  }

  private async keep(item: Item, sealed: Sealed): Promise<void> {
    const { key, label, digest } = item;
    const kept: Kept = { key, label, digest, base: this.settings.base, place: this.place(item), at: Date.now(), expires: this.expires() };
    const bytes = await sealed.content.arrayBuffer().catch(() => undefined);
    item.kept = !item.gone && bytes !== undefined && (await this.shelf.put(kept, bytes));
    if (item.gone || this.ended) {
      item.kept = false;
      await this.shelf.drop(key);
    }
    item.shelved ||= item.kept;
    item.sealed = item.kept ? undefined : sealed;
    // A browser may put what lies in memory for long on the disk, in clear.
    if (item.kept) item.plain = undefined;
  }

  // expires is when the link ends, by the phone's clock.
  private expires(): number {
    return Date.now() + this.ends - this.settings.now();
  }

  private place(item: Item): number {
    return this.items.indexOf(item);
  }

  // retry takes up a page that needed the person.
  async retry(item: Item): Promise<void> {
    if (!sendable(item)) return this.lose(item);
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

  // remove takes a page back: from the shelf at once, from the server once it
  // cannot be undone any more.
  remove(item: Item): void {
    item.gone = item.noted = true;
    item.goneAt = Date.now();
    item.stays = false;
    item.refused = item.missed = 0;
    if (this.lineOf === item) this.line?.cut();
    this.inTurn(item, () => this.unkeep(item));
    this.lockUndo(item);
    this.holdFor(item, Math.max(0, this.ends - grace - lastUndo - this.settings.now()));
    this.view.changed();
  }

  private holdFor(item: Item, milliseconds: number): void {
    if (!item.gone || item.due) return; // it was undone meanwhile, or the person is done
    item.hold = setTimeout(() => this.due(item), milliseconds);
  }

  // due lets the server hear of a removal: it cannot be undone any more.
  private due(item: Item): void {
    this.letGo(item);
    item.due = true;
    this.view.changed();
    this.wake();
  }

  private letGo(item: Item): void {
    clearTimeout(item.hold);
    item.release?.();
    item.release = undefined;
  }

  // inTurn does what concerns one page's place on the shelf in order.
  private inTurn(item: Item, act: () => Promise<void>): void {
    item.acts = (item.acts ?? Promise.resolve()).then(act);
  }

  // unkeep writes the removal down and takes the sealed bytes into memory, for
  // "Undo". If the shelf does not answer, or another window took them, "Undo"
  // finds out what became of them.
  private async unkeep(item: Item): Promise<void> {
    const content = await this.shelf.takeBack(item.key, this.settings.base, this.expires());
    if (content === undefined) {
      item.noted = false;
      return;
    }
    if (!content || !item.kept) return;
    item.sealed = { content: new Blob([content]), digest: item.digest };
    item.kept = false;
  }

  undo(item: Item): void {
    if (item.due) return;
    this.bringBack(item);
    this.view.changed();
  }

  // bringBack lets a page be sent again once no removal of it stands anywhere.
  private bringBack(item: Item): void {
    item.gone = item.due = item.heard = false;
    clearTimeout(item.hold);
    this.inTurn(item, () => this.restore(item));
  }

  // restore takes the removal off the shelf, until that is sure: whoever reads
  // it there would tell the server.
  private async restore(item: Item): Promise<void> {
    for (let failures = 0; item.noted && !item.gone && !this.ended; failures++) {
      if (await this.shelf.giveBack(item.key)) break;
      await new Promise((resolve) => setTimeout(resolve, pauseAfter(failures)));
    }
    if (item.gone) return; // it was taken back anew
    if (item.sealed) await this.keep(item, item.sealed);
    if (!item.gone) {
      item.noted = false;
      this.letGo(item); // not before nothing of it is written down any more
    }
    this.view.changed();
    this.wake();
  }

  // hurry ends the time for "Undo".
  hurry(): void {
    for (const item of this.items) if (item.gone) this.due(item);
    this.rouse();
  }

  // finish leaves nothing of this link on the phone.
  async finish(): Promise<void> {
    this.ended = true;
    await this.shelf.wipe(this.settings.base);
    for (const item of this.items) item.thumb = item.plain = item.sealed = item.print = undefined;
  }

  // leave is the window's last word: what was taken back here is told now. What
  // was taken back in another window may still be undone there.
  private leave(): void {
    for (const item of this.items) {
      if (!item.gone || item.heard || item.telling || !this.known(item)) continue;
      item.telling = true;
      void this.take(item, true).finally(() => {
        item.telling = false;
        this.view.changed();
        this.wake();
      });
    }
  }

  // away is how a phone's person leaves, as far as a page can tell: a window
  // that is swiped off the screen afterwards says no more. What was taken back
  // must not stay with the office for that.
  private away(): void {
    this.lost();
    this.leave();
    for (const item of this.items) if (item.gone && !item.heard) this.due(item);
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
      if (this.settings.now() > this.ends) {
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
      if (this.next()) await this.pause(pauseAfter(failures - 1));
    }
  }

  private troubled(word: string): void {
    if (this.trouble === word) return;
    this.trouble = word;
    this.view.say(word);
    this.view.changed();
  }

  // poor tells whether the line was bad at last.
  get poor(): boolean {
    return this.trouble === "offline" || this.trouble === "again";
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
    const due = this.items.filter((item) => item.due && !item.telling && item.state !== "locking");
    const taking = (item: Item) => () => this.turn(() => this.take(item));
    const removed = due.find((item) => item.missed < removalsFirst);
    if (removed) return taking(removed);
    const waiting = this.items.find((item) => item.state === "waiting" && !item.gone && !item.noted);
    if (waiting) return () => this.turn(() => this.deliver(waiting));
    const received = this.items.filter((item) => item.state === "received" && !item.gone);
    const renamed = received.find((item) => item.told !== item.label);
    if (renamed) return () => this.rename(renamed);
    const order = received.map((item) => item.key);
    const known = this.arrived.filter((key) => order.includes(key));
    if (order.join() !== known.join()) return () => this.reorder(order);
    return due[0] && taking(due[0]);
  }

  // turn sends or takes back one page while no other window of this link does:
  // a removal that overtook its page on the way would leave it there.
  private async turn(errand: () => Promise<boolean>): Promise<boolean> {
    if (!navigator.locks) return errand();
    const patience = new AbortController();
    const timer = setTimeout(() => patience.abort(), turnPatience);
    let begun = false;
    try {
      return await navigator.locks.request(`dropslot ${this.settings.base}`, { signal: patience.signal }, () => {
        begun = true;
        clearTimeout(timer);
        return errand();
      });
    } catch (fault) {
      if (begun) throw fault;
      return errand(); // the server takes the same page twice for one
    }
  }

  private async deliver(item: Item): Promise<boolean> {
    if (item.gone || item.noted || this.ended) return true;
    const removals = (await this.shelf.removals(this.settings.base)) ?? [];
    const removal = removals.find(({ key }) => key === item.key);
    if (removal) this.hear(removal);
    if (item.gone || !this.items.includes(item)) return true;
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
    const answer = await this.send(item, sealed);
    if (answer.stored) return this.received(item, answer.label);
    if (!answer.status && !sealed && item.plain && !(await readable(item.plain))) {
      this.lose(item);
      return true;
    }
    if (mayPass(answer)) return false;
    return this.refuse(item, answer);
  }

  private async send(item: Item, sealed: Sealed | undefined): Promise<Answer & { label: string }> {
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
    return { ...answer, label };
  }

  private progress(item: Item, share: number): void {
    item.share = share;
    this.view.changed();
  }

  private async received(item: Item, label: string | undefined): Promise<boolean> {
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

  // missing is a page that is not on the shelf any more: another window of this
  // link sent it, as the server's list tells, or removed it, or it is lost.
  private async missing(item: Item): Promise<boolean> {
    const there = await this.look();
    if (!there) return false;
    if (there.keys.includes(item.key)) return this.received(item, item.label);
    const removals = await this.shelf.removals(this.settings.base);
    if (!removals) return false;
    const removal = removals.find(({ key }) => key === item.key);
    if (removal) this.hear(removal);
    else {
      item.kept = false;
      this.lose(item); // the browser itself cleared the shelf
    }
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
    const at = this.items.indexOf(item);
    if (at >= 0) this.items.splice(at, 1);
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
  private async refuse(item: Item, answer: Answer): Promise<boolean> {
    item.refused++;
    switch (answer.code) {
      case "link-expired":
      case "link-closed":
        this.over();
        return true;
      case "not-found":
        return this.astray();
      case "page-removed": // in another window
        if (item.kept) await this.shelf.drop(item.key);
        if (!item.gone) this.view.say("removed", item);
        return this.forget(item);
      case "page-seal": // the office changed its keys while the page was open
        if (item.plain && item.refused === 1) return this.relock(item);
        this.need(item, "", "page-damaged");
        return true;
      case "page-conflict":
        if (item.refused < cutShortMost) return this.conflict(item);
    }
    if (cutShort.includes(answer.code) && item.refused < cutShortMost) return false;
    this.need(item, answer.message);
    return true;
  }

  // conflict: this key is no other page's, so the server has the page, sealed
  // once more by another window. A list without it says that it was removed
  // this moment, and the next try finds that out.
  private async conflict(item: Item): Promise<boolean> {
    const there = await this.look();
    if (!there?.keys.includes(item.key)) return false;
    return this.received(item, undefined);
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

  // over: whatever the server was not told by now came too late.
  private over(): void {
    const late = this.items.some((item) => (item.gone ? this.known(item) : item.state !== "received"));
    void this.finish().then(() => this.view.over(late));
  }

  // known tells whether the server may have a page.
  private known(item: Item): boolean {
    return item.state === "received" || item.tries > 0 || item.old || item.shelved;
  }

  // take tells the server that a page was taken back. last: the window closes,
  // and nothing may come before the request.
  private async take(item: Item, last = false): Promise<boolean> {
    const { key } = item;
    const { base } = this.settings;
    if (item.heard && !last) {
      const standing = await this.shelf.removals(base);
      if (!standing) return false;
      if (!standing.some((removal) => removal.key === key)) {
        this.bringBack(item); // undone in its window
        return true;
      }
    }
    if (this.known(item)) {
      // A page that is still landing is refused by the server from now on.
      const answer = await this.ask(`/pages/${key}`, { method: "DELETE", keepalive: last });
      if (ended.includes(answer.code)) {
        this.over();
        return true;
      }
      if (answer.code === "not-found") return this.astray();
      // Not there, or not any more: that is what was wanted.
      if (answer.status !== 204 && !["page-unknown", "page-removed"].includes(answer.code)) return this.unremoved(item, answer);
    }
    await this.shelf.told({ key, base, expires: this.expires() });
    return this.forget(item);
  }

  // unremoved deals with a removal that the server did not take. A page that it
  // will never remove is shown again: the office has it.
  private unremoved(item: Item, answer: Answer): boolean {
    item.missed++;
    if (mayPass(answer) || ++item.refused < removalsMost) return false;
    item.gone = item.due = item.heard = false;
    item.plain = item.sealed = undefined;
    item.stays = true;
    this.need(item, "", "not-removed");
    return true;
  }

  // astray: the server does not know this browser any more. What is on the shelf
  // stays there for the link that the person opens next.
  private astray(): boolean {
    this.ended = true;
    this.view.over(false);
    return true;
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

  private ask(path: string, request: RequestInit): Promise<Answer> {
    return ask(this.settings.base + path, request);
  }
}
