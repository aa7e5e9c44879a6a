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
