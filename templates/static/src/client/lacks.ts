// What the client does not have. It is said without leaving the page: others
// may be on their way, and a form that is posted into a dead line ends on the
// browser's own error page.
import { show, type Words } from "./elements";
import { ask, ended, mayPass, untilOnline, type Answer } from "./send";
import type { Status } from "./status";

// View is what comes of it elsewhere on the page.
export interface View {
  changed(): void;
  over(late: boolean): void; // the server says that the link is
}

export class Lacks {
  // An office may ask for nothing certain.
  private readonly section = document.getElementById("lacks");
  private readonly waiting = new Map<HTMLFormElement, string>(); // the reasons that the server has not noted
  private readonly here = new Map<string, string>(); // what the pages are that the server has, by key

  constructor(
    private readonly words: Words,
    private readonly status: Status,
    private readonly view: View,
  ) {
    this.section?.addEventListener("click", (event) => {
      const button = (event.target as Element).closest("button");
      if (!button?.form) return;
      event.preventDefault();
      this.say(button.form, button.value);
    });
  }

  // settled tells whether the server has noted everything.
  get settled(): boolean {
    return this.waiting.size === 0;
  }

  // any tells whether something was said, so that there is something to be
  // done with.
  get any(): boolean {
    const said = this.section?.querySelector("[aria-pressed=true]");
    return Boolean(said) || !this.settled;
  }

  // say notes the newest word on a paper, after the one on its way.
  private say(form: HTMLFormElement, reason: string): void {
    const busy = this.waiting.has(form);
    this.waiting.set(form, reason);
    this.tell(form, this.words.say("waits"), { aloud: false });
    this.view.changed();
    if (!busy) void this.post(form);
  }

  private async post(form: HTMLFormElement): Promise<void> {
    for (let failures = 0; this.waiting.has(form); ) {
      const reason = this.waiting.get(form) ?? "";
      const body = new URLSearchParams({ ask: (form.elements.namedItem("ask") as HTMLInputElement).value, reason });
      const answer = await ask(form.action, { method: "POST", body });
      if (answer.status !== 204 && mayPass(answer)) {
        // One failure in a row is nothing to be told of on a weak signal.
        if (!navigator.onLine) this.tell(form, this.words.say("offline"), { trouble: true });
        else if (failures > 0) this.tell(form, this.words.say("again"), { trouble: true });
        await untilOnline(failures++);
        continue;
      }
      if (this.waiting.get(form) === reason) this.waiting.delete(form);
      if (answer.status === 204) this.noted(form, reason);
      else this.refused(form, answer);
      failures = 0;
    }
    this.view.changed();
  }

  // knows is of a page from before: what was said of its paper was said later.
  knows(key: string, label: string): void {
    this.here.set(key, label);
  }

  // arrived hears of a page that the server has: one that says that it is a
  // paper takes back that this is missing, as it does there.
  arrived(key: string, label: string | undefined): void {
    if (!label || this.here.get(key) === label) return;
    this.here.set(key, label);
    for (const field of Array.from(this.section?.querySelectorAll<HTMLInputElement>("input[name=ask]") ?? [])) {
      const { form } = field;
      if (field.value !== label || !form?.querySelector("[aria-pressed=true]") || this.waiting.has(form)) continue;
      this.draw(form, "");
      show(place(form), false);
    }
  }

  private noted(form: HTMLFormElement, reason: string): void {
    const name = this.draw(form, reason);
    const words = this.section?.getAttribute(`data-noted-${reason || "none"}`) ?? "";
    this.tell(form, words.replace("{ask}", () => name));
  }

  // draw shows the reason, and gives the name of the paper.
  private draw(form: HTMLFormElement, reason: string): string {
    const summary = form.parentElement?.querySelector("summary");
    const told = summary?.querySelector("span");
    let chosen = "";
    for (const button of Array.from(form.querySelectorAll("button"))) {
      if (button.value === reason && reason) chosen = `: ${button.textContent?.trim()}`;
      if (button.value) {
        button.setAttribute("aria-pressed", String(button.value === reason));
        continue;
      }
      if (!reason && document.activeElement === button) summary?.focus(); // the button goes
      show(button, reason !== "");
    }
    if (told) told.textContent = chosen;
    return summary?.firstChild?.textContent ?? "";
  }

  private refused(form: HTMLFormElement, answer: Answer): void {
    if (ended.includes(answer.code) || answer.code === "not-found") {
      this.waiting.clear();
      return this.view.over(answer.code !== "not-found");
    }
    this.tell(form, answer.message || this.words.say("unavailable"), { trouble: true });
  }

  // tell is for the eye beside the buttons, and for the ear.
  private tell(form: HTMLFormElement, words: string, { trouble = false, aloud = true } = {}): void {
    const target = place(form);
    if (target.textContent !== words && aloud) this.status.say(words, this.waiting.has(form) ? { trouble: "lack" } : {});
    target.textContent = words;
    target.classList.toggle("trouble", trouble);
    show(target, true);
  }
}

// place is where a form's words stand.
function place(form: HTMLFormElement): HTMLElement {
  return form.querySelector(".status") as HTMLElement;
}
