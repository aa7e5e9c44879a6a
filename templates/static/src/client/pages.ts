// The list of pages that the server says it has.
import { element, show, type Status, type Words } from "./elements";

export class PageList {
  private readonly list = element<HTMLOListElement>("list");
  private readonly row = element<HTMLTemplateElement>("row");
  private readonly section = element("pages");

  constructor(
    private readonly base: string,
    private readonly suffix: string,
    private readonly words: Words,
    private readonly status: Status,
    private readonly gone: () => void,
  ) {
    this.list.addEventListener("submit", (event) => {
      event.preventDefault();
      const item = (event.target as HTMLElement).closest("li");
      if (item) void this.remove(item);
    });
  }

  get count(): number {
    return this.list.children.length;
  }

  // add appends a page and gives its number.
  add(key: string, label: string): number {
    const item = (this.row.content.firstElementChild as HTMLElement).cloneNode(true) as HTMLElement;
    item.dataset["key"] = key;
    item.dataset["label"] = label;
    item.querySelector("form")?.setAttribute("action", `${this.base}/pages/${key}/remove${this.suffix}`);
    this.list.append(item);
    this.number();
    return this.count;
  }

  private number(): void {
    Array.from(this.list.children).forEach((item, index) => {
      const name = this.words.say("page", { number: index + 1 });
      const what = item.querySelector(".what");
      const hidden = item.querySelector(".hidden-words");
      if (!(item instanceof HTMLElement) || !what || !hidden) return;
      const label = item.dataset["label"];
      what.textContent = label ? `${name} – ${label}` : name;
      hidden.textContent = name;
    });
    show(this.section, this.count > 0);
  }

  private async remove(item: HTMLElement): Promise<void> {
    const name = item.querySelector(".hidden-words")?.textContent ?? "";
    if (!window.confirm(this.words.say("confirm-remove", { page: name }))) return;
    const button = item.querySelector("button");
    if (button) button.disabled = true;
    let status = 0;
    try {
      const answer = await fetch(`${this.base}/pages/${item.dataset["key"] ?? ""}`, {
        method: "DELETE",
        headers: { Accept: "application/json" },
      });
      status = answer.status;
    } catch {
      // No network: the page stays in the list, as it stays at the server.
    }
    if (button) button.disabled = false;
    // 404 and 410: it is gone, or the time is over; only the server can tell.
    if (status === 404 || status === 410 || status === 409) return this.gone();
    if (status < 200 || status >= 300) {
      this.status.say(this.words.say("remove-failed"), true);
      return;
    }
    item.remove();
    this.number();
    this.status.say(this.words.say("removed", { page: name }));
    element(this.count > 0 ? "pages-heading" : "start-heading").focus();
  }
}
