// From the place that is asked for to the data that is shown. The newest wish wins, and what was
// there before stays until the new is there.
import { firstSight } from "./choosing";
import type { Place, Store } from "./store";
import { translator } from "./strings";
import type { Index, Moment, Series, Track, TrackIndex } from "./types";
import { Wishes } from "./wishes";

export { chosenFrom, firstHead, shownHeads } from "./choosing";

interface Found {
  track: Track;
  moment: Moment;
}

const QUIET = 60; // milliseconds before the steps beside the shown one are fetched

const find = (index: Index, id: string): TrackIndex | undefined => index.tracks.find((one) => one.id === id);
export const trackIndex = (store: Store, id: string): TrackIndex | undefined => find(store.state.index, id);

export async function follow(store: Store): Promise<void> {
  const loading = new Loading(store);
  store.listen((changed) => {
    if (changed.has("place")) void loading.place();
    if (changed.has("other")) loading.other();
  });
  store.source.onIndex(() => loading.index());
  await loading.place();
}

class Loading {
  private shown: Wishes<Place, Found>;
  private compared: Wishes<Place, Found>;
  private series: Wishes<string, Series>;

  constructor(private store: Store) {
    const t = translator(store);
    const fetch = async ({ track: id, step }: Place): Promise<Found> => {
      const track = await store.source.track(id);
      return { track, moment: await store.source.moment(track, step) };
    };
    this.shown = new Wishes(
      fetch,
      (_, found) => this.show(found),
      ({ step }, { message }) => {
        const { moment } = store.state;
        if (!moment) store.set({ error: t("stopBroken", { what: message }) });
        else store.set({ error: t("stepFailed", { step, what: message }), place: placeOf(moment) });
      },
    );
    this.compared = new Wishes(
      fetch,
      (_, { track, moment }) => store.set({ otherTrack: track, otherMoment: moment }),
      ({ step }, { message }) => {
        const { otherMoment } = store.state;
        store.set({ error: t("stepFailed", { step, what: message }), other: otherMoment && placeOf(otherMoment) });
      },
    );
    this.series = new Wishes(
      (id) => store.source.series(id),
      (id, series) => {
        if (id === store.state.place.track) store.set({ series });
      },
      (id, { message }) => {
        if (id === store.state.place.track) store.set({ error: t("seriesFailed", { what: message }) });
      },
    );
  }

  // Asks for the wished place, unless it is shown already.
  place(): Promise<void> {
    const { place, moment } = this.store.state;
    if (moment && samePlace(place, placeOf(moment))) this.shown.forget();
    else if (trackIndex(this.store, place.track)?.steps.length) return this.shown.want(place);
    return Promise.resolve();
  }

  other(): void {
    const { other, otherMoment } = this.store.state;
    this.compared.forget();
    if (!other) this.store.set({ otherTrack: null, otherMoment: null });
    else if (!otherMoment || !samePlace(other, placeOf(otherMoment))) void this.compared.want(other);
  }

  // There is something new, or something has gone.
  index(): void {
    const { store } = this;
    const { place, other, index: before, moment } = store.state;
    const index = store.source.index;
    const [was, is] = [find(before, place.track), find(index, place.track)];
    const anew = before.tracks.filter((one) => writtenAnew(one, find(index, one.id))).map((one) => one.id);
    if (anew.length) store.source.refresh();
    const next = is?.steps.length ? is : moment ? undefined : index.tracks.find((one) => one.steps.length);
    if (!next) {
      // It may come back at the next look; until then what was seen stays.
      store.set({ index, ...(moment ? { error: translator(store)("trackGone") } : {}) });
      return;
    }
    // Whoever stands at the newest step goes on to the new one; whoever looks back is left alone.
    const read = anew.includes(next.id);
    const newest = !moment || (was && place.step === last(was)) || (read && !next.steps.includes(place.step));
    store.set({
      index,
      error: was ? store.state.error : "", // what had gone is back
      ...(newest ? { place: { track: next.id, step: last(next) } } : {}),
    });
    if (read) void this.shown.want(store.state.place);
    else if (!moment) void this.place();
    if (other && anew.includes(other.track)) void this.compared.want(other);
    if (moment && (read || !alike(was?.steps, next.steps))) this.course(next.id);
  }

  private show(found: Found): void {
    const { store } = this;
    const { track, moment } = found;
    const { track: before, series } = store.state;
    if (track.id !== store.state.place.track) return; // gone to another track since
    const kept = before?.id === track.id ? series : null;
    store.set({
      track,
      moment,
      series: kept,
      error: "",
      // Another run of the same model: the same head, so that two runs can be told apart by switching.
      ...(alike(before?.entries, track.entries) ? {} : firstSight(track, moment)),
    });
    if (!kept) this.course(track.id);
    setTimeout(() => {
      if (this.shown.idle) this.beside(found);
    }, QUIET);
  }

  // Going on by one step is what people do most.
  private beside({ track, moment }: Found): void {
    const steps = trackIndex(this.store, track.id)?.steps ?? [];
    const at = steps.indexOf(moment.step);
    if (at < 0) return;
    for (const step of [steps[at + 1], steps[at - 1]]) {
      // An error is said when somebody wants to see it.
      if (step !== undefined) this.store.source.moment(track, step).catch(() => undefined);
    }
  }

  private course(id: string): void {
    if ((trackIndex(this.store, id)?.steps.length ?? 0) > 1) void this.series.want(id);
  }
}

const last = (track: TrackIndex): number => track.steps[track.steps.length - 1];
const placeOf = (moment: Moment): Place => ({ track: moment.track, step: moment.step });
const samePlace = (a: Place, b: Place): boolean => a.track === b.track && a.step === b.step;
const alike = (a: unknown, b: unknown): boolean => JSON.stringify(a) === JSON.stringify(b);

// A training that begins again in the same folder has the same steps at other times, or none of them.
function writtenAnew(was: TrackIndex, is: TrackIndex | undefined): boolean {
  if (!is?.steps.length || !was.steps.length) return false;
  const times = new Map(was.steps.map((step, i) => [step, was.times[i]]));
  const moved = is.steps.map((step, i) => times.has(step) && times.get(step) !== is.times[i]);
  return moved.includes(true) || !is.steps.some((step) => times.has(step));
}
