// Plays the films of both parties as one: they lie on one time line, so one place is right for both.

const films = [...document.querySelectorAll("#films video")];
const bar = document.getElementById("film-bar");
const waiting = document.querySelector("[data-reload]");
if (waiting) setTimeout(() => location.reload(), Number(waiting.dataset.reload) * 1000);

const APART = 0.15; // seconds that one film may run ahead of the other before it is put right
const clock = (seconds) => `${Math.floor(seconds / 60)}:${String(Math.floor(seconds % 60)).padStart(2, "0")}`;

if (bar && films.length) {
  const [play, place, time, speed] = ["film-play", "film-place", "film-time", "film-speed"].map((id) => document.getElementById(id));
  const length = () => Math.max(...films.map((film) => film.duration || 0));
  const leader = () => films.reduce((a, b) => ((b.duration || 0) > (a.duration || 0) ? b : a));
  let playing = false;

  const show = () => {
    place.max = length();
    if (document.activeElement !== place || playing) place.value = leader().currentTime;
    time.textContent = `${clock(leader().currentTime)} / ${clock(length())}`;
    play.textContent = playing ? "暂停" : "播放";
  };
  const seek = (seconds) => {
    for (const film of films) film.currentTime = Math.min(seconds, film.duration || 0);
    show();
  };
  const toggle = (on) => {
    playing = on;
    for (const film of films) {
      if (on && !film.ended) film.play().catch(() => {});
      else film.pause();
    }
    show();
  };
  const together = () => {
    const now = leader().currentTime;
    for (const film of films) {
      if (film !== leader() && now < film.duration && Math.abs(film.currentTime - now) > APART) film.currentTime = now;
    }
    show();
  };

  play.addEventListener("click", () => {
    if (!playing && leader().ended) seek(0);
    toggle(!playing);
  });
  place.addEventListener("input", () => seek(Number(place.value)));
  speed.addEventListener("change", () => { for (const film of films) film.playbackRate = Number(speed.value); });
  for (const film of films) {
    film.addEventListener("loadedmetadata", show);
    film.addEventListener("timeupdate", together);
    film.addEventListener("ended", () => { if (film === leader()) toggle(false); });
  }
  bar.hidden = false;
  show();
}
