import { find } from "./elements";

// chooseForHandoff keeps the count of chosen pages true. The form works
// without.
export function chooseForHandoff(): void {
  const form = document.querySelector<HTMLFormElement>("[data-handoff]");
  if (!form) return;
  const boxes = [...form.querySelectorAll<HTMLInputElement>("input[name=page]")];
  const words = find("[data-chosen]", form);
  const count = (): void => {
    const chosen = boxes.filter((box) => box.checked).length;
    words.textContent = chosen === boxes.length ? `all ${chosen}` : `${chosen} of ${boxes.length}`;
  };
  form.addEventListener("change", count);
  count(); // a browser may have kept what was chosen before a reload
}

// copyLink puts the submission's address on the clipboard.
export function copyLink(): void {
  const link = document.querySelector<HTMLInputElement>("[data-link]");
  if (!link) return;
  const button = find<HTMLButtonElement>("[data-copy]");
  const told = find("[data-copied]");
  link.addEventListener("focus", () => link.select());
  if (!("clipboard" in navigator)) return;
  button.hidden = false;
  button.addEventListener("click", () => {
    navigator.clipboard.writeText(link.value).then(
      () => (told.textContent = "Copied."),
      () => {
        link.focus();
        told.textContent = "Press Ctrl+C to copy.";
      },
    );
  });
}

// offerPrint opens the browser's print, once every picture is there.
export function offerPrint(): void {
  const button = document.querySelector<HTMLButtonElement>("[data-print]");
  if (!button) return;
  button.hidden = false;
  button.addEventListener("click", () => window.print());
}
