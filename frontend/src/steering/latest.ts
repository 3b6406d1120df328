// Questions to one server that answers one at a time, asked by a hand that keeps moving.
const TRIES = 4;
const AGAIN = 200; // milliseconds

// An answer that says why there is none.
export class Refused extends Error {
  constructor(message: string, readonly status: number) {
    super(message);
  }
}

// One question is under way; of those asked meanwhile only the newest waits. What is under way while a
// slider moves is not thrown away: its answer is of a moment ago, and without it nothing would move until
// the hand rests.
export class Latest<Wish, Found> {
  private waiting: { wish: Wish } | null = null;
  private running: AbortController | null = null;

  constructor(
    private ask: (wish: Wish, signal: AbortSignal) => Promise<Found>,
    private take: (found: Found, wish: Wish) => void,
    private fail: (error: Error, wish: Wish) => void,
  ) {}

  get busy(): boolean {
    return this.running !== null;
  }

  want(wish: Wish): void {
    this.waiting = { wish };
    if (!this.running) void this.run();
  }

  // Whatever is under way or waits is not wanted any more.
  drop(): void {
    this.waiting = null;
    this.running?.abort();
    this.running = null;
  }

  private async run(): Promise<void> {
    while (this.waiting) {
      const { wish } = this.waiting;
      const mine = new AbortController();
      this.waiting = null;
      this.running = mine;
      try {
        const found = await this.patiently(wish, mine.signal);
        if (mine.signal.aborted) return;
        this.running = null;
        this.take(found, wish);
      } catch (error) {
        if (mine.signal.aborted) return;
        this.running = null;
        // A newer question is on its way: what is wrong with the old one is of no interest.
        if (!this.waiting) this.fail(error as Error, wish);
      }
    }
  }

  // Another tab's question may have taken the place of this one, or the server is busy.
  private async patiently(wish: Wish, signal: AbortSignal): Promise<Found> {
    for (let left = TRIES; ; left--) {
      try {
        return await this.ask(wish, signal);
      } catch (error) {
        const status = error instanceof Refused ? error.status : 0;
        if (![409, 429, 503].includes(status) || left <= 1 || this.waiting || signal.aborted) throw error;
        await new Promise((go) => setTimeout(go, AGAIN * (TRIES - left + 1)));
      }
    }
  }
}
