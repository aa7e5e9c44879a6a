// What the page says of itself: aloud in its one live region, one thing after
// the other, so that none takes the place of another; and to the eye in places
// that are kept free for it, so that nothing moves when it comes.
import { show } from "./elements";

// A screen reader takes up the words when they come and reads them in its own
// time: each stays for so long before the next.
const pace = 1_500; // milliseconds

interface News {
  words: string;
  passing: boolean; // of no use once there is other news
}

export class Status {
  private waiting: News[] = [];
  private saying = false;
  private told = "";

  // region is the live region; in each place is a .said for the words.
  constructor(
    private readonly region: HTMLElement,
    private readonly places: Iterable<HTMLElement>,
  ) {}

  // say is for the ear alone: the eye has it from somewhere else.
  say(words: string, passing = false): void {
    this.waiting = this.waiting.filter((news) => !news.passing);
    this.waiting.push({ words, passing });
    if (!this.saying) this.next();
  }

  // tell is for the eye as well: what becomes of pages that are not in sight.
  tell(words: string, trouble = false): void {
    this.told = words;
    for (const place of this.places) {
      const said = place.querySelector<HTMLElement>(".said");
      if (said) said.textContent = words;
      place.classList.toggle("bad", trouble);
    }
    this.reserve(true);
    this.say(words);
  }

  // reserve keeps room for what may be told before the next step.
  reserve(expected: boolean): void {
    for (const place of this.places) show(place, expected || this.told !== "");
  }

  private next(): void {
    const news = this.waiting.shift();
    this.saying = news !== undefined;
    if (!news) return;
    // The same words twice are said twice.
    const again = this.region.textContent === news.words;
    this.region.textContent = news.words + (again ? "\u00a0" : "");
    setTimeout(() => this.next(), pace);
  }
}
