// "I'm done": waits for the pages that are on their way, then tells the server,
// until it has heard.
import { element, show, type Words } from "./elements";
import type { Lacks } from "./lacks";
import type { Outbox } from "./outbox";
import { fetchWithin, untilOnline } from "./send";
import type { Status } from "./status";

// How often, and with what pause in ms, the shelf is asked what waits there.
const shelfTries = 3;
const shelfPause = 2_000;

export class Done {
  private readonly form = element<HTMLFormElement>("done");
  private readonly ask = element("done-ask");
  private readonly wait = element("done-wait");
  private readonly said = element("done-words");
  private readonly without = element<HTMLButtonElement>("done-without");
  private readonly stayButton = element<HTMLButtonElement>("done-stay");
  private wanted = false;
  private looked = false; // what other windows left to be sent
  private accepted = false; // that some pages do not arrive
  private ending = false;
  private quiet = false; // the focus comes, and reads

  constructor(
    private readonly words: Words,
    private readonly status: Status,
    private readonly outbox: Outbox,
    private readonly lacks: Lacks,
  ) {
    this.form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.want();
    });
    this.stayButton.addEventListener("click", () => this.stay());
    this.without.addEventListener("click", () => {
      this.accepted = true;
      this.said.focus(); // the button goes
      this.changed();
    });
    // Whoever adds a page is not done yet.
    for (const id of ["take", "file", "own-file"]) element(id).addEventListener("click", () => this.wanted && this.stay());
  }

  private want(): void {
    this.wanted = this.quiet = true;
    this.accepted = false;
    this.outbox.hurry();
    this.looked = false;
    void this.look();
    this.show();
    if (!this.ending) this.said.focus();
    this.quiet = false;
  }

  // look asks a shelf that does not answer again: a page may lie there. One
  // that never does must not keep the person from ending.
  private async look(): Promise<void> {
    for (let tries = 0; tries < shelfTries && !(await this.outbox.adopt()); tries++) {
      await new Promise((resolve) => setTimeout(resolve, shelfPause));
    }
    this.looked = true;
    this.changed();
  }

  private stay(): void {
    if (this.ending) return;
    this.wanted = false;
    this.show();
    element(element("pages").hidden ? "start-heading" : "pages-heading").focus();
  }

  // changed goes on when the last page has arrived.
  changed(): void {
    show(this.form, this.wanted || this.outbox.count > 0 || this.lacks.any);
    if (!this.wanted || this.ending) return;
    if (this.looked && this.outbox.settled && this.lacks.settled && (this.outbox.needing === 0 || this.accepted)) {
      this.ending = true;
      void this.end();
    }
    this.show();
  }

  private show(): void {
    const { pending, needing, staying } = this.outbox;
    const asks = !this.ending && pending === 0 && needing > 0;
    show(this.ask, !this.wanted);
    show(this.wait, this.wanted);
    show(this.without, asks);
    // Its room stays: nothing moves when the last page arrives.
    this.stayButton.classList.toggle("away", this.ending);
    if (this.ending && document.activeElement === this.stayButton) this.said.focus();
    let words = this.words.say("ending");
    if (pending > 0 && !this.ending) words = this.words.say("done-waits", { count: pending });
    if (asks) {
      const lacking = needing - staying.length;
      const said = staying.map((item) => item.why);
      words = [...(lacking > 0 ? [this.words.say("done-needs", { count: lacking })] : []), ...said].join(" ");
    }
    this.said.classList.toggle("trouble", asks);
    if (!this.wanted || this.said.textContent === words) return;
    this.said.textContent = words;
    // Each page that arrives is told by itself. What stands here when the focus
    // comes is read by that, what comes later is not.
    if (asks && !this.quiet) this.status.say(words);
  }

  // end posts the form by itself: a form that a browser posts into a dead
  // line ends on the browser's own error page.
  private async end(): Promise<void> {
    const body = new URLSearchParams();
    new FormData(this.form).forEach((value, name) => body.append(name, String(value)));
    for (let failures = 0; ; failures++) {
      try {
        const answer = await fetchWithin(this.form.action, { method: "POST", body });
        if (answer.redirected) {
          const where = new URL(answer.url);
          if (where.pathname.endsWith("/receipt")) await this.outbox.finish();
          window.location.assign(answer.url);
          return;
        }
        if (answer.status < 500 && answer.status !== 429 && answer.status !== 408) {
          this.form.submit(); // the server's page says what is wrong
          return;
        }
      } catch {
        // No network.
      }
      this.status.tell(this.words.say(navigator.onLine ? "again" : "offline"), { trouble: "end" });
      await untilOnline(failures);
    }
  }
}
