import { ask, find, isProblem, showProblem } from "./elements";

// RequestState is how far a sent link came, in the server's words.
interface RequestState {
  url: string;
  lastFour: string;
  office: string;
  words: string;
  tone: string;
  steps: { words: string; done: boolean }[];
  papers: string;
  moving: boolean;
  cancel: string;
  renew: string;
  fresh: string;
  asks: string;
  next?: string;
}

const json = { Accept: "application/json" };
// A link lives for days: who leaves the page open all day asks less often.
const pollEvery = 2_000;
const pollLater = 20_000;
const patience = 10 * 60_000;

// sendInPlace posts the form without leaving the page and shows the new
// link's state below it.
export function sendInPlace(): void {
  const form = document.querySelector<HTMLFormElement>("form[data-send]");
  if (!form) return;
  const box = find("[data-send-problem]");
  const states = find("[data-send-state]");
  const phone = find<HTMLInputElement>("[name=phone]", form);
  // Names the text, so that a form that arrives twice sends one.
  const sending = find<HTMLInputElement>("[name=sending]", form);
  const button = find<HTMLButtonElement>("button[type=submit]", form);

  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    if (button.disabled) return;
    button.disabled = true;
    box.hidden = true;
    form.querySelector(".problem")?.remove();
    try {
      const body = new URLSearchParams();
      for (const [name, value] of new FormData(form)) body.append(name, String(value));
      const answer = await ask("/requests", { method: "POST", headers: json, body });
      if (isProblem(answer)) {
        showProblem(box, answer);
        phone.focus();
        return;
      }
      const state = (await answer.json()) as RequestState;
      states.prepend(newCard(state));
      // Office and language stay for the next client.
      for (const box of form.querySelectorAll<HTMLInputElement>("[type=checkbox]")) box.checked = false;
      find<HTMLTextAreaElement>("[name=words]", form).value = "";
      sending.value = state.next ?? "";
      phone.value = "";
      phone.focus();
    } finally {
      button.disabled = false;
    }
  });
}

function newCard(state: RequestState): HTMLElement {
  const template = find<HTMLTemplateElement>("[data-send-card]");
  const copy = template.content.cloneNode(true) as DocumentFragment;
  const card = find(".sent", copy);
  // A live region tells of changes only while it is in the page.
  requestAnimationFrame(() => {
    show(card, state);
    watch(card);
  });
  return card;
}

function show(card: HTMLElement, state: RequestState): void {
  card.dataset["tone"] = state.tone;
  card.dataset["state"] = state.url;
  card.toggleAttribute("data-moving", state.moving);
  setText(find("[data-part=lastFour]", card), state.lastFour);
  setText(find("[data-part=office]", card), state.office);
  setText(find("[data-part=words]", card), state.words);
  find<HTMLAnchorElement>("[data-part=url]", card).href = state.url;
  const papers = find<HTMLAnchorElement>("[data-part=papers]", card);
  papers.href = state.papers;
  papers.hidden = state.papers === "";
  if (card.querySelector("[data-part=asks]")) showAsks(card, state); // a link at the counter asks for nothing
  find("ol", card).replaceChildren(
    ...state.steps.map((step) => {
      const item = document.createElement("li");
      const words = document.createElement("span");
      words.textContent = step.words;
      item.append(words);
      item.toggleAttribute("data-done", step.done);
      return item;
    }),
  );
}

// showAsks shows what a sent link asks for and what may be done about it.
function showAsks(card: HTMLElement, state: RequestState): void {
  const asks = find("[data-part=asks]", card);
  setText(asks, state.asks);
  asks.hidden = state.asks === "";
  aim(find<HTMLFormElement>("[data-part=cancel]", card), state.cancel);
  const renew = find<HTMLFormElement>("[data-part=renew]", card);
  // Asked anew, the same button still names the same text.
  if (renew.hidden) find<HTMLInputElement>("[name=sending]", renew).value = state.fresh;
  aim(renew, state.renew);
}

function aim(form: HTMLFormElement, action: string): void {
  form.hidden = action === "";
  form.action = action;
}

// actInPlace takes links back and sends new ones without leaving the page.
export function actInPlace(): void {
  document.addEventListener("submit", (event) => {
    const form = event.target as HTMLFormElement;
    const card = form.closest<HTMLElement>(".sent");
    const what = form.dataset["part"];
    if (!card || (what !== "cancel" && what !== "renew")) return;
    event.preventDefault();
    void act(form, card, what === "renew");
  });
}

async function act(form: HTMLFormElement, card: HTMLElement, renew: boolean): Promise<void> {
  const button = find<HTMLButtonElement>("button", form);
  if (button.disabled) return;
  button.disabled = true;
  const body = new URLSearchParams();
  for (const [name, value] of new FormData(form)) body.append(name, String(value));
  const answer = await ask(form.action, { method: "POST", headers: json, body });
  button.disabled = false;
  if (isProblem(answer)) {
    setText(find("[data-part=words]", card), answer.title + ". " + answer.text);
    return;
  }
  const state = (await answer.json()) as RequestState;
  if (!renew) {
    show(card, state);
    return;
  }
  form.hidden = true;
  // The new link's card is made of the old one's.
  const fresh = card.cloneNode(true) as HTMLElement;
  card.before(fresh);
  show(fresh, state);
  watch(fresh);
  find<HTMLAnchorElement>("[data-part=url]", fresh).focus();
}

// setText leaves equal words alone, so that a screen reader says each once.
function setText(element: HTMLElement, words: string): void {
  if (element.textContent !== words) element.textContent = words;
}

export function watchStates(): void {
  for (const card of document.querySelectorAll<HTMLElement>(".sent[data-moving]")) watch(card);
}

// watch asks for a link's state until it can no longer change.
function watch(card: HTMLElement): void {
  const began = Date.now();
  const again = () => {
    if (!card.isConnected || !card.hasAttribute("data-moving")) return;
    window.setTimeout(look, Date.now() - began < patience ? pollEvery : pollLater);
  };
  const look = async () => {
    if (document.visibilityState === "visible") {
      const answer = await ask(card.dataset["state"] + "/state", { headers: json });
      if (!isProblem(answer)) show(card, (await answer.json()) as RequestState);
    }
    again();
  };
  again();
}
