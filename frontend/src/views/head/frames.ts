// How smooth it is: frames of the last second, counted while something moves.
const REST = 300; // milliseconds without a motion that end it

export class FrameMeter {
  private times: number[] = [];
  private last = -Infinity;

  move(now: number): void {
    if (!this.moving(now)) this.times = [];
    this.last = now;
  }

  moving(now: number): boolean { return now - this.last < REST; }

  tick(now: number): void {
    if (!this.moving(now)) return;
    this.times.push(now);
    while (now - this.times[0] > 1000) this.times.shift();
  }

  // Frames a second; null before a quarter of a second has been seen.
  get rate(): number | null {
    const [first, last] = [this.times[0], this.times[this.times.length - 1]];
    return last - first > 250 ? Math.round((this.times.length - 1) / (last - first) * 1000) : null;
  }
}
