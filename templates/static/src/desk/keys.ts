import { find } from "./elements";

const setting = "desk-keys";

// Keys gives single keys a meaning. They can be switched off, for who speaks
// to the machine (WCAG 2.1.4), and stay silent where a person types or chooses.
export class Keys {
  private readonly dialog = find<HTMLDialogElement>("[data-keys]");
  private readonly on = find<HTMLInputElement>("[data-keys-on]");

  constructor(private readonly acts: Record<string, () => unknown>) {
    const help = find("[data-help]");
    help.hidden = false;
    help.addEventListener("click", () => this.dialog.showModal());
    this.on.checked = window.localStorage.getItem(setting) !== "off";
    this.on.addEventListener("change", () => window.localStorage.setItem(setting, this.on.checked ? "on" : "off"));
    document.addEventListener("keydown", (event) => this.press(event));
  }

  private press(event: KeyboardEvent): void {
    if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented || this.dialog.open) return;
    const target = event.target as Element;
    if (target.closest("input, select, textarea, iframe, dialog")) return;
    if (!this.on.checked) return;
    if (event.key === "?") {
      event.preventDefault();
      this.dialog.showModal();
      return;
    }
    const act = this.acts[event.key];
    if (!act) return;
    event.preventDefault();
    act();
  }
}
