// asksOfOffice leaves in sight what the chosen office asks for: without this
// script papers of another office are left out when the form is sent.
export function asksOfOffice(): void {
  const office = document.querySelector<HTMLSelectElement>("[data-send] #office");
  if (!office) return;
  const set = () => {
    for (const choice of document.querySelectorAll<HTMLElement>("[data-send] [data-offices]")) {
      choice.hidden = !(choice.dataset["offices"] ?? "").split(" ").includes(office.value);
    }
  };
  office.addEventListener("change", set);
  set();
}
