// What the page says of itself: aloud in its one live region, one thing after
// the other, so that none takes the place of another; and to the eye in places
// that are kept free for it, so that nothing moves when it comes.
import { show } from "./elements";

// A screen reader takes up the words when they come and reads them in its own
// time: each stays for so long before the next.
const pace = 1_500; // milliseconds

// News is one thing that is said.
export interface News {
  passing?: boolean; // of no use once there is other news
  // What is wrong, and with what: it stays before the eye until that is solved.
  trouble?: string;
  // The words that take the place of this one if another waits that has such:
  // forty pages that arrive at once are one thing to hear.
  together?: string;
}

interface Waiting extends News {
  words: string;
}

export class Status {
  private waiting: Waiting[] = [];
  private saying = false;
  private told = "";
  private readonly troubles = new Map<string, string>(); // the newest last

  // region is the live region; in each place is a .said for the words.
  constructor(
    private readonly region: HTMLElement,
    private readonly places: Iterable<HTMLElement>,
  ) {}

  // say is for the ear alone: the eye has it from somewhere else. Trouble comes
  // before what else waits.
  say(words: string, news: News = {}): void {
    this.waiting = this.waiting.filter((one) => !one.passing);
    const other = news.together && this.waiting.find((one) => one.together);
    if (other) {
      other.words = news.together ?? "";
      return;
    }
    const calm = news.trouble ? this.waiting.findIndex((one) => !one.trouble) : -1;
    this.waiting.splice(calm < 0 ? this.waiting.length : calm, 0, { words, ...news });
    if (!this.saying) this.next();
  }

  // tell is for the eye as well: what becomes of pages that are not in sight.
  tell(words: string, news: News = {}): void {
    this.told = words;
    if (news.trouble) {
      this.troubles.delete(news.trouble);
      this.troubles.set(news.trouble, words);
    }
    this.draw();
    this.reserve(true);
    this.say(words, news);
  }

  // solve takes off what is wrong no more.
  solve(still: (trouble: string) => boolean): void {
    const before = this.troubles.size;
    for (const trouble of this.troubles.keys()) if (!still(trouble)) this.troubles.delete(trouble);
    this.waiting = this.waiting.filter(({ trouble }) => !trouble || still(trouble));
    if (this.troubles.size < before) this.draw();
  }

  // draw shows the newest trouble, or else the newest of all.
  private draw(): void {
    const trouble = [...this.troubles.values()].pop();
    for (const place of this.places) {
      const said = place.querySelector<HTMLElement>(".said");
      if (said) said.textContent = trouble ?? this.told;
      place.classList.toggle("bad", trouble !== undefined);
    }
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
