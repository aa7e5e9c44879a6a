// The list of pages: how far each is, and what can be done with it.
import { element, show, type Words } from "./elements";
import { sendable, type Item } from "./item";
import type { Outbox } from "./outbox";

export class PageList {
  private readonly list = element<HTMLOListElement>("list");
  private readonly template = element<HTMLTemplateElement>("row");
  private readonly section = element("pages");
  private readonly rows = new Map<Item, Row>();

  constructor(
    private readonly words: Words,
    private readonly base: string,
  ) {
    document.addEventListener("visibilitychange", () => this.blank(document.hidden));
    window.addEventListener("pagehide", () => this.blank(true));
  }

  // received gives the pages that the server listed, and empties the list.
  received(): { key: string; label: string }[] {
    const found = Array.from(this.list.children).map((item) => {
      const { key, label } = (item as HTMLElement).dataset;
      return { key: key ?? "", label: label ?? "" };
    });
    this.list.textContent = "";
    return found;
  }

  draw(outbox: Outbox): void {
    for (const [item, row] of this.rows) {
      if (outbox.items.includes(item) && !item.due) continue;
      const focused = row.holdsFocus();
      row.drop();
      this.rows.delete(item);
      if (focused) element(outbox.count > 0 ? "pages-heading" : "start-heading").focus();
    }
    let number = 0;
    let before: Element | null = null;
    for (const item of outbox.items) {
      if (item.due) continue;
      let row = this.rows.get(item);
      if (!row) {
        row = new Row(this.template, item, outbox, this.words, this.base);
        this.rows.set(item, row);
      }
      // A row that stays where it is is not touched: it may hold the focus.
      const next: Element | null = before ? before.nextElementSibling : this.list.firstElementChild;
      if (next !== row.root) this.list.insertBefore(row.root, next);
      before = row.root;
      if (!item.gone) number++;
      row.draw(number, outbox);
    }
    if (outbox.count > 0) {
      element("start-heading").textContent = this.words.say("more");
      element("take").textContent = this.words.say("more-pages");
    }
    show(this.section, this.rows.size > 0);
  }

  name(item: Item | undefined, outbox: Outbox): string {
    const number = outbox.items.filter((one) => !one.gone).indexOf(item as Item) + 1;
    return this.words.say("page", { number: number || (item && this.rows.get(item)?.number) || "" });
  }

  // blank leaves no picture on a screen that nobody looks at.
  private blank(hidden: boolean): void {
    for (const row of this.rows.values()) row.blank(hidden);
  }
}

class Row {
  readonly root: HTMLElement;
  number = 0;
  private picture = ""; // URL of the thumbnail
  private readonly parts = new Map<string, HTMLElement>();
  private readonly names: HTMLElement[];
  private readonly image: HTMLImageElement;
  private readonly label: HTMLSelectElement;
  private readonly up: HTMLButtonElement;
  private readonly down: HTMLButtonElement;

  constructor(
    template: HTMLTemplateElement,
    private readonly item: Item,
    outbox: Outbox,
    private readonly words: Words,
    base: string,
  ) {
    this.root = (template.content.firstElementChild as HTMLElement).cloneNode(true) as HTMLElement;
    this.names = Array.from(this.root.querySelectorAll<HTMLElement>(".hidden-words"));
    this.image = this.part("img");
    this.label = this.part("select");
    this.up = this.part(".up");
    this.down = this.part(".down");
    this.label.addEventListener("change", () => outbox.relabel(item, this.label.value));
    this.up.addEventListener("click", () => this.move(outbox, -1));
    this.down.addEventListener("click", () => this.move(outbox, 1));
    this.part(".again").addEventListener("click", () => {
      void outbox.retry(item);
      this.part("summary").focus(); // the button goes
    });
    this.part(".undo").addEventListener("click", () => {
      outbox.undo(item);
      this.part("summary").focus();
    });
    const form = this.part<HTMLFormElement>("form");
    form.setAttribute("action", `${base}/pages/${item.key}/remove`);
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      outbox.remove(item);
      this.part(".undo").focus();
    });
  }

  private part<T extends HTMLElement = HTMLElement>(selector: string): T {
    let found = this.parts.get(selector);
    if (!found) this.parts.set(selector, (found = this.root.querySelector(selector) as HTMLElement));
    return found as T;
  }

  private move(outbox: Outbox, by: number): void {
    outbox.move(this.item, by);
    // The row was moved in the document, which takes the focus away.
    const [same, other] = by < 0 ? [this.up, this.down] : [this.down, this.up];
    (same.disabled ? other : same).focus();
  }

  draw(number: number, outbox: Outbox): void {
    const { item } = this;
    if (!item.gone) this.number = number;
    const name = this.words.say("page", { number: this.number });
    const label = item.label ? (this.label.querySelector(`option[value="${item.label}"]`)?.textContent ?? "") : "";
    this.root.dataset["state"] = item.gone ? "gone" : item.state;
    this.root.dataset["key"] = item.key;
    write(this.part(".what"), label ? `${name} – ${label}` : name);
    write(this.part(".state"), this.state(outbox, name));
    this.writeNote(item.gone ? "" : this.note(name));
    for (const words of this.names) write(words, name);
    const bar = this.part<HTMLProgressElement>("progress");
    bar.value = this.percent();
    bar.setAttribute("aria-label", name);
    bar.classList.toggle("away", item.state !== "sending" || item.gone);
    show(this.part(".undo"), item.gone);
    show(this.part(".again"), item.state === "needs" && !item.gone && sendable(item));
    show(this.part("details"), !item.gone);
    this.label.value = item.label;
    this.up.disabled = number === 1;
    this.down.disabled = number === outbox.count;
    if (item.thumb && !this.picture) this.show(item.thumb);
  }

  // percent stays below a hundred: what left the phone has not arrived yet.
  private percent(): number {
    return Math.min(99, Math.floor(this.item.share * 100));
  }

  private state(outbox: Outbox, name: string): string {
    const { item } = this;
    if (item.gone) return this.words.say("removed", { page: name });
    if (item.state === "received") return this.words.say("got");
    if (item.state === "needs") return this.words.say("needs");
    if (item.state === "sending") return this.words.say("part", { percent: this.percent() });
    return this.words.say(outbox.offline ? "no-signal" : "waits");
  }

  private note(name: string): string {
    const { item } = this;
    if (item.state === "needs") return item.why;
    if (item.state === "received") return item.old ? this.words.say("safe", { page: name }) : "";
    return item.kept || item.state === "locking" ? "" : this.words.say("keep-open", { page: name });
  }

  // writeNote leaves the room of a note that is of no use any more, so that the
  // rows below stay where they are.
  private writeNote(words: string): void {
    const note = this.part(".note");
    note.classList.toggle("away", !words);
    if (words) write(note, words);
  }

  private show(thumb: Blob): void {
    this.picture = URL.createObjectURL(thumb);
    this.blank(document.hidden);
  }

  blank(hidden: boolean): void {
    const visible = !hidden && this.picture !== "";
    if (visible) this.image.src = this.picture;
    else this.image.removeAttribute("src");
    show(this.image, visible);
  }

  holdsFocus(): boolean {
    return this.root.contains(document.activeElement);
  }

  drop(): void {
    if (this.picture) URL.revokeObjectURL(this.picture);
    this.root.remove();
  }
}

// write touches nothing that stays the same.
function write(target: HTMLElement, words: string): void {
  if (target.textContent !== words) target.textContent = words;
}
