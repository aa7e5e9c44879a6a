import { find, leave, showProblem } from "./elements";
import { failed, passkeysWork, post, useAPasskey } from "./passkey";

interface Session {
  seconds: number;
  login: string;
  sight: string;
}

// Lock takes the page off the screen and out of the document, and brings it
// back as it was: what somebody typed stays in this tab's memory and is sent
// nowhere. The server has locked the session by itself; this is its door.
export class Lock {
  private readonly door = find<HTMLTemplateElement>("template[data-lock]");
  private kept: DocumentFragment | undefined;
  private title = "";
  private focused: HTMLElement | null = null;

  // opened is told how many seconds the session has left.
  constructor(private readonly opened: (seconds: number) => void) {
    // Another tab may have opened the session again: each page of a session
    // says so when it comes.
    const tabs = new BroadcastChannel("dropslot-desk");
    tabs.addEventListener("message", () => {
      if (this.kept) void this.look();
    });
    tabs.postMessage("open");
    document.addEventListener("visibilitychange", () => {
      if (this.kept && document.visibilityState === "visible") void this.look();
    });
  }

  get locked(): boolean {
    return this.kept !== undefined;
  }

  close(): void {
    if (this.kept) return;
    this.focused = document.activeElement instanceof HTMLElement ? document.activeElement : null;
    for (const dialog of document.querySelectorAll<HTMLDialogElement>("dialog[open]")) dialog.close();
    this.kept = document.createDocumentFragment();
    this.kept.append(...document.body.childNodes);
    this.title = document.title;
    document.title = "Locked · Dropslot";
    document.body.append(this.door.content.cloneNode(true));
    const form = find<HTMLFormElement>("[data-lock-form]");
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      void this.unlock(form);
    });
    // Who signs in through their organization has no passkey here, and no
    // password: a link leads there, in another tab.
    const passkey = document.querySelector<HTMLButtonElement>("[data-lock-passkey]");
    if (passkey) {
      passkey.hidden = !passkeysWork();
      passkey.addEventListener("click", () => void this.settle(useAPasskey("/")));
    }
    find("[data-lock-first]", form).focus();
  }

  private async unlock(form: HTMLFormElement): Promise<void> {
    const password = find<HTMLInputElement>("[type=password]", form);
    const sent = { login: find<HTMLInputElement>("[name=login]", form).value, password: password.value, next: "/" };
    password.value = "";
    await this.settle(post("/login", sent));
    if (this.kept) password.focus();
  }

  private async settle(answer: ReturnType<typeof useAPasskey>): Promise<void> {
    const said = await answer;
    const box = find("[data-lock-problem]");
    if (failed(said)) {
      showProblem(box, said);
      return;
    }
    await this.look();
    if (this.kept) {
      // The day's session is over: a whole sign-in is asked for, which leads
      // away from here. In another tab it leaves what was typed alone.
      showProblem(box, {
        title: "One more step", text: "Finish signing in with the link below, in another tab. Then come back to this one.",
      });
    }
  }

  // look opens the door if the session lives and is still this person's.
  private async look(): Promise<void> {
    let answer: Response;
    try {
      answer = await fetch("/session", { cache: "no-store", redirect: "error", headers: { Accept: "application/json" } });
    } catch {
      return;
    }
    if (!answer.ok || !this.kept) return;
    const session = (await answer.json()) as Session;
    const { login, sight } = document.body.dataset;
    if (session.login !== login || session.sight !== sight) {
      leave(); // somebody else signed in, or may see something else: this page is not theirs
      return;
    }
    if (this.kept.querySelector("[data-emergency]")) {
      window.location.reload(); // the lock ended it: its papers do not come back
      return;
    }
    document.body.replaceChildren(this.kept);
    this.kept = undefined;
    document.title = this.title;
    this.focused?.focus();
    this.opened(session.seconds);
  }
}

// secondsLeft asks the server how long the session lives; undefined if it is
// locked or over.
export async function secondsLeft(init: RequestInit = {}): Promise<number | undefined> {
  try {
    const answer = await fetch("/session", { cache: "no-store", redirect: "error", headers: { Accept: "application/json" }, ...init });
    return answer.ok ? ((await answer.json()) as Session).seconds : undefined;
  } catch {
    return undefined;
  }
}

