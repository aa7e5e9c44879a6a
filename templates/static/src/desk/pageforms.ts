import { ask, find, isProblem } from "./elements";
import { turnThumb } from "./pane";
import type { Viewer } from "./viewer";

// PageForms keep what a caseworker changes of the page in hand. Each is a
// plain form; here it is sent in place.
export class PageForms {
  constructor(private readonly root: HTMLElement, private readonly viewer: Viewer) {
    this.send("rotation", (by) => void this.turn(by?.hasAttribute("data-rotate-left") ? 270 : 90));
    this.send("label", () => void this.label());
    this.send("place", (by) => void this.move(by?.hasAttribute("data-earlier") ? -1 : 1));
  }

  // turn keeps the page turned by so many degrees more.
  async turn(by: number): Promise<void> {
    const { link } = this.viewer;
    const before = link.dataset["rotation"] ?? "0";
    const degrees = (Number(before) + by) % 360;
    this.turned(link, String(degrees));
    if (!(await this.post(link, "rotation", String(degrees), "Turned to " + degrees + " degrees"))) this.turned(link, before);
  }

  // follow aims the forms at another page.
  follow(link: HTMLAnchorElement, earlier: boolean, later: boolean): void {
    const { id, page, ask: asked, rotation } = link.dataset;
    for (const form of this.root.querySelectorAll<HTMLFormElement>("[data-page-form]")) {
      form.action = "/pages/" + id + "/" + form.dataset["pageForm"];
    }
    for (const field of this.root.querySelectorAll<HTMLInputElement>("[data-number]")) field.value = page ?? "1";
    this.button("[data-rotate-left]", (Number(rotation) + 270) % 360);
    this.button("[data-rotate]", (Number(rotation) + 90) % 360);
    this.button("[data-earlier]", Number(page) - 1, !earlier);
    this.button("[data-later]", Number(page) + 1, !later);
    const label = this.root.querySelector<HTMLSelectElement>("#page-label");
    if (label) label.value = asked ?? "";
    const again = this.root.querySelector<HTMLAnchorElement>("[data-again]");
    if (again) again.href = "/pages/" + id + "/again";
  }

  private turned(link: HTMLAnchorElement, degrees: string): void {
    link.dataset["rotation"] = degrees;
    turnThumb(link);
    if (link !== this.viewer.link) return;
    this.viewer.turnTo(Number(degrees));
    this.viewer.mark();
  }

  private async label(): Promise<void> {
    const { link } = this.viewer;
    const choice = find<HTMLSelectElement>("#page-label", this.root);
    const words = choice.selectedOptions[0]?.textContent ?? "";
    const value = choice.value;
    if (!(await this.post(link, "label", value, "Label saved: " + words))) return;
    link.dataset["ask"] = value;
    link.dataset["label"] = value && words;
    find("[data-label-words]", link).textContent = words;
    this.viewer.mark();
  }

  private async move(by: number): Promise<void> {
    const { link } = this.viewer;
    const row = link.closest("li");
    const place = Number(link.dataset["page"]) + by;
    const other = by < 0 ? row?.previousElementSibling : row?.nextElementSibling;
    if (!row || !other || !(await this.post(link, "place", String(place), "Now page " + place))) return;
    if (by < 0) other.before(row);
    else other.after(row);
    document.querySelectorAll<HTMLAnchorElement>("[data-pages] a[data-page]").forEach((each, index) => renumber(each, index + 1));
    document.querySelectorAll<HTMLElement>("[data-number-of]").forEach((words) => {
      const named = document.querySelector<HTMLElement>(`[data-pages] a[data-id="${words.dataset["numberOf"]}"]`);
      if (named) words.textContent = named.dataset["page"] ?? "";
    });
    this.options();
    this.viewer.renumber();
  }

  // options names the pages anew that may be shown beside this.
  private options(): void {
    const beside = this.root.querySelector<HTMLSelectElement>("#beside");
    if (!beside) return;
    const links = [...document.querySelectorAll<HTMLAnchorElement>("[data-pages] a[data-page]")];
    links.forEach((link, index) => {
      const option = beside.options[index + 1];
      const label = link.dataset["label"];
      if (option) option.textContent = "page " + (index + 1) + (label ? " · " + label : "");
    });
  }

  private button(selector: string, value: number, disabled = false): void {
    const button = this.root.querySelector<HTMLButtonElement>(selector);
    if (!button) return;
    button.value = String(value);
    button.disabled = disabled;
  }

  private send(name: string, act: (by: HTMLElement | null) => void): void {
    this.root.querySelector(`[data-page-form=${name}]`)?.addEventListener("submit", (event) => {
      event.preventDefault();
      act((event as SubmitEvent).submitter);
    });
  }

  // post tells whether the server kept the change, and says so.
  private async post(link: HTMLElement, name: string, value: string, done: string): Promise<boolean> {
    const answer = await ask("/pages/" + link.dataset["id"] + "/" + name, {
      method: "POST",
      headers: { Accept: "application/json" },
      body: new URLSearchParams({ [name]: value }),
    });
    const said = find("[data-said]", this.root);
    said.classList.toggle("hide", !isProblem(answer));
    said.textContent = isProblem(answer) ? answer.title + ". " + answer.text : done;
    return !isProblem(answer);
  }
}

function renumber(link: HTMLAnchorElement, n: number): void {
  const old = link.querySelector(".thumb")?.firstChild;
  if (old?.nodeType === Node.TEXT_NODE && old.textContent === link.dataset["page"]) old.textContent = String(n);
  link.dataset["page"] = String(n);
  for (const name of ["src", "original"]) {
    if (link.dataset[name]) link.dataset[name] = link.dataset[name].replace(/n=\d+/, "n=" + n);
  }
  link.href = link.href.replace(/page=\d+/, "page=" + n);
  find("[data-number-words]", link).textContent = String(n);
}
