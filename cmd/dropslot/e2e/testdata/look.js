// What a page is held against, whatever it is made of: gives a list of faults.
(wanted) => {
  const faults = [];
  const fault = (what, element) => {
    const name = element ? element.outerHTML.replace(/\s+/g, " ").slice(0, 90) : "";
    faults.push(element ? `${what}: ${name}` : what);
  };
  const root = document.documentElement;
  const shown = (element) => element.checkVisibility({ visibilityProperty: true });
  // One pixel, for ears only.
  const forEars = (box) => box.width <= 1 || box.height <= 1;
  const all = [...document.body.querySelectorAll("*")].filter(shown);

  if (root.lang !== wanted.language) fault(`the page says it is in ${root.lang}`);
  if (getComputedStyle(root).direction !== wanted.direction) fault(`text runs ${getComputedStyle(root).direction}`);
  if (!document.title.trim()) fault("no title");
  if (all.filter((element) => element.tagName === "H1").length !== 1) fault("not one h1");

  // No sideways scroll, nothing cut off.
  const width = root.clientWidth;
  if (document.scrollingElement.scrollWidth > width) fault(`${document.scrollingElement.scrollWidth} px are wider than ${width}`);
  for (const element of all) {
    const box = element.getBoundingClientRect();
    if (forEars(box)) continue;
    const says = [...element.childNodes].some((node) => node.nodeType === Node.TEXT_NODE && node.data.trim());
    if ((says || element.matches("input, select, button, img, video")) && (box.left < -0.5 || box.right > width + 0.5)) {
      fault(`from ${Math.round(box.left)} to ${Math.round(box.right)} px`, element);
    }
    const style = getComputedStyle(element);
    if (says && element.textContent.trim().length > 8 && box.width < 2.5 * parseFloat(style.fontSize)) fault("squeezed", element);
    const clips = style.overflowX !== "visible" || style.textOverflow === "ellipsis";
    if (says && clips && element.tagName !== "SELECT" && element.scrollWidth > element.clientWidth + 1) fault("cut off", element);
  }

  // 44 px for every thumb. What is there for ears only is tapped by its label.
  for (let element of all.filter((e) => e.matches("a[href], button, input, select, textarea, summary, [role=button]"))) {
    if (forEars(element.getBoundingClientRect())) element = element.labels?.[0] ?? element;
    const box = element.getBoundingClientRect();
    if (box.width < 43.5 || box.height < 43.5) fault(`${Math.round(box.width)} x ${Math.round(box.height)} px to tap`, element);
  }

  // One place tells what happens; two of them talk over each other.
  const regions = [...document.querySelectorAll("[aria-live]:not([aria-live=off]), [role=status], [role=alert], [role=log], output")];
  if (regions.length > 1 || regions.length < wanted.regions) fault(`${regions.length} live regions, ${wanted.regions} wanted`);

  // A state is always in words: the eye may not tell colors apart.
  for (const region of regions) {
    const style = getComputedStyle(region);
    if (!region.textContent.trim() && shown(region) && parseFloat(style.borderInlineStartWidth) > 0) fault("a state without words", region);
  }
  for (const element of all.filter((e) => e.matches("[aria-current]"))) {
    const other = element.closest("ul, ol, nav")?.querySelector("a:not([aria-current])");
    if (other && getComputedStyle(other).textDecorationLine === getComputedStyle(element).textDecorationLine) fault("told by color alone", element);
  }
  for (const link of all.filter((e) => e.matches("p a[href]"))) {
    const style = getComputedStyle(link);
    if (style.textDecorationLine === "none" && style.borderTopWidth === "0px") fault("a link told by color alone", link);
  }

  if (wanted.still) {
    for (const element of all) {
      const style = getComputedStyle(element);
      const moves = style.transitionDuration.split(",").some((time) => parseFloat(time) > 0) || style.animationName !== "none";
      if (moves) fault("moves although less motion is wanted", element);
    }
  }
  return faults;
}
