// Questions whose answers take time, asked by somebody who keeps changing his mind.
const AT_ONCE = 2;
const LONG = 2000; // milliseconds after which a question no longer holds up the next one

// While the answers are awaited only the newest wish is kept, so that dragging a slider over a
// thousand steps asks for a few. An older answer never replaces a newer one.
export class Wishes<Wish, Found> {
  private next: Wish | null = null;
  private asked = 0;
  private taken = 0;
  private running = 0;

  constructor(
    private find: (wish: Wish) => Promise<Found>,
    private take: (wish: Wish, found: Found) => void,
    private fail: (wish: Wish, error: Error) => void,
  ) {}

  get idle(): boolean {
    return this.running === 0 && this.next === null;
  }

  want(wish: Wish): Promise<void> {
    this.next = wish;
    return this.start();
  }

  // Whatever comes from now on was not wished for.
  forget(): void {
    this.next = null;
    this.taken = this.asked;
  }

  private async start(): Promise<void> {
    if (this.next === null || this.running >= AT_ONCE) return;
    const [wish, mine] = [this.next, ++this.asked];
    this.next = null;
    this.running++;
    let over = false;
    const end = (): void => {
      if (over) return;
      over = true;
      this.running--;
      void this.start();
    };
    const patience = setTimeout(end, LONG);
    try {
      const found = await this.find(wish);
      if (mine > this.taken) {
        this.taken = mine;
        this.take(wish, found);
      }
    } catch (error) {
      if (mine > this.taken && mine === this.asked && this.next === null) this.fail(wish, error as Error);
    } finally {
      clearTimeout(patience);
      end();
    }
  }
}
