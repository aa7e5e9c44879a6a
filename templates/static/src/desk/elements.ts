// find gives an element that the page's template promises.
export function find<T extends Element = HTMLElement>(selector: string, root: ParentNode = document): T {
  const element = root.querySelector<T>(selector);
  if (!element) throw new Error("missing in the page: " + selector);
  return element;
}

// Problem is the server's JSON for what did not work.
export interface Problem {
  title: string;
  text: string;
}

const offline: Problem = {
  title: "No connection",
  text: "Dropslot does not answer. Check your network and try again.",
};

// problemIn reads what a refused request says.
export async function problemIn(response: Response): Promise<Problem> {
  try {
    const body = (await response.json()) as { problem?: Problem };
    return body.problem ?? offline;
  } catch {
    return offline;
  }
}

// ask fetches; a lost connection is a problem like any other. When the
// session is over it leads to the sign-in page and never comes back.
export async function ask(url: string, init: RequestInit = {}): Promise<Response | Problem> {
  let response: Response;
  try {
    response = await fetch(url, { cache: "no-store", redirect: "error", ...init });
  } catch (cause) {
    if (cause instanceof DOMException && cause.name === "AbortError") throw cause;
    return offline;
  }
  if (response.status === 401) {
    leave();
    return new Promise(() => undefined);
  }
  return response.ok ? response : await problemIn(response);
}

// leave hides the page behind the sign-in, which leads back here.
export function leave(): void {
  const here = window.location.pathname + window.location.search;
  window.location.replace("/login?next=" + encodeURIComponent(here));
}

export function isProblem(answer: Response | Problem): answer is Problem {
  return !(answer instanceof Response);
}

// showProblem fills an alert.
export function showProblem(box: HTMLElement, problem: Problem): void {
  const title = document.createElement("strong");
  title.textContent = problem.title + ". ";
  box.replaceChildren(title, problem.text);
  box.hidden = false;
}
