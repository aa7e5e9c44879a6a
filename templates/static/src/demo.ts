// The simulated phone of the demo: it shows what the fake Twilio says that
// this phone sent and got, and sends what is typed.

interface Bubble {
  id: string;
  mine: boolean;
  words: string;
  pictures: number;
  state: string;
  silence?: string;
}

const phone = document.querySelector<HTMLElement>(".phone")!;
const list = document.querySelector<HTMLOListElement>("#bubbles")!;
const form = document.querySelector<HTMLFormElement>("#compose")!;
const wordsField = form.elements.namedItem("words") as HTMLInputElement;
const pictureField = form.elements.namedItem("picture") as HTMLInputElement;
const attached = document.querySelector<HTMLElement>("#attached")!;

let shown = "";

function bubble(b: Bubble): HTMLLIElement {
  const item = document.createElement("li");
  item.className = b.mine ? "mine" : "theirs";
  if (b.pictures > 0) {
    const mark = document.createElement("small");
    mark.textContent = b.pictures === 1 ? "1 picture" : `${b.pictures} pictures`;
    item.append(mark);
  }
  for (const part of b.words.split(/(https?:\/\/\S+)/)) {
    if (/^https?:\/\//.test(part)) {
      const link = document.createElement("a");
      link.href = part;
      link.textContent = part;
      link.addEventListener("click", (event) => openBeside(event, part));
      item.append(link);
    } else if (part) {
      item.append(part);
    }
  }
  const state = document.createElement("small");
  state.textContent = b.state;
  item.append(state);
  return item;
}

// On a wide screen the link opens in a window of a phone's size beside this one.
function openBeside(event: Event, url: string): void {
  if (window.innerWidth < 700) return;
  event.preventDefault();
  const left = Math.max(0, window.screenX + window.outerWidth - 420);
  const opened = window.open(url, "_blank", `popup,width=400,height=800,left=${left},top=${window.screenY + 40}`);
  if (!opened) window.location.href = url;
}

function show(bubbles: Bubble[]): void {
  const now = JSON.stringify(bubbles);
  if (now === shown) return;
  shown = now;
  list.replaceChildren();
  for (const b of bubbles) {
    list.append(bubble(b));
    if (b.silence) {
      const silence = document.createElement("li");
      silence.className = "silence";
      silence.textContent = b.silence;
      list.append(silence);
    }
  }
  list.scrollTop = list.scrollHeight;
}

async function refresh(): Promise<void> {
  try {
    const answer = await fetch("/messages");
    if (answer.ok) show((await answer.json()) as Bubble[]);
  } catch {
    // The demo was stopped, or starts again: the next round tells.
  }
}

async function send(words: string): Promise<void> {
  const body = new FormData();
  body.set("words", words);
  for (const file of pictureField.files ?? []) body.append("picture", file);
  form.reset();
  attached.hidden = true;
  const answer = await fetch("/text", { method: "POST", body });
  if (!answer.ok) {
    attached.textContent = await answer.text();
    attached.hidden = false;
  }
  await refresh();
}

form.addEventListener("submit", (event) => {
  event.preventDefault();
  if (wordsField.value.trim() || pictureField.files?.length) void send(wordsField.value);
  wordsField.focus();
});
pictureField.addEventListener("change", () => {
  const count = pictureField.files?.length ?? 0;
  attached.textContent = count === 1 ? "1 picture attached" : `${count} pictures attached`;
  attached.hidden = count === 0;
});
for (const chip of document.querySelectorAll<HTMLButtonElement>("[data-words]")) {
  chip.addEventListener("click", () => void send(chip.dataset.words ?? ""));
}
phone.classList.add("live");
void refresh();
setInterval(() => void refresh(), 1000);
