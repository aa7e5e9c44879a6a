// What the page gave to the script: its elements, settings and words.

export function element<T extends HTMLElement = HTMLElement>(id: string): T {
  const found = document.getElementById(id);
  if (!found) throw new Error(`no element ${id}`);
  return found as T;
}

export function show(target: HTMLElement, visible: boolean): void {
  target.hidden = !visible;
}

// painted waits until the screen shows what was changed, or a moment where it
// shows nothing: a hidden page is never drawn.
export function painted(): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, 100);
    if (typeof requestAnimationFrame === "function") requestAnimationFrame(() => setTimeout(resolve));
  });
}

// Words are the catalog's, in the language of the page: data-word-NAME.
export class Words {
  constructor(private readonly source: HTMLElement) {}

  say(name: string, values: Record<string, string | number> = {}): string {
    const words = this.source.getAttribute(`data-word-${name}`) ?? "";
    return words.replace(/\{(\w+)\}/g, (whole, key: string) => String(values[key] ?? whole));
  }
}
