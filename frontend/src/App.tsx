// The whole view, from the answer down to the single link.
import { useShown } from "./store";
import { useWords } from "./strings";
import { Compare } from "./views/Compare";
import { Factors } from "./views/Factors";
import { Grid } from "./views/Grid";
import { HeadView } from "./views/Head";
import { Hero } from "./views/Hero";
import { Links } from "./views/Links";
import { Notes } from "./views/Notes";
import { Ribbon } from "./views/Ribbon";
import { Statistics } from "./views/Statistics";
import { Steps } from "./views/Steps";
import { Strip } from "./views/Strip";
import { Top } from "./views/Top";
import { Words } from "./views/Words";

export function App({ whole }: { whole: boolean }) {
  const { error, track, moment, index, lang } = useShown("error", "track", "moment", "index", "lang");
  const t = useWords();
  return (
    <div class={whole ? "zhuyi whole" : "zhuyi"} lang={lang === "zh" ? "zh-Hans" : "en"}>
      {error && <p class="stop" id="stop" role="alert">{error}</p>}
      {track && moment ? <View /> : !error && <p class="stop">{t(index.tracks.length ? "loading" : "nothing")}</p>}
    </div>
  );
}

function View() {
  const { track, index } = useShown("track", "index");
  const t = useWords();
  const many = index.tracks.some((one) => one.steps.length > 1) || index.tracks.length > 1;
  const heads = Boolean(track?.entries.length);
  return (
    <>
      {heads && <a class="skip" href="#heads" onClick={skip}>{t("skip")}</a>}
      <Top />
      <main>
        {many && <Steps />}
        <Hero />
        {track?.signal ? <Ribbon /> : track?.cells.length ? <Factors /> : (track?.units.length || track?.image) ? <Words /> : null}
        {heads && (
          <section id="heads" class="pair" tabIndex={-1}>
            <Grid />
            <HeadView />
          </section>
        )}
        {many && <Compare />}
        {heads && <Statistics />}
        {heads && <Strip />}
        {heads && <Links />}
      </main>
      <Notes />
    </>
  );
}

function skip(event: MouseEvent): void {
  event.preventDefault();
  const root = (event.currentTarget as HTMLElement).getRootNode() as ShadowRoot;
  root.getElementById("heads")?.focus();
}
