// Plays a visit: the next step is fetched and put in the place of this one. Without scripts the links do the same.
const PAUSE = 1500;
let timer = 0;

async function go(step) {
  const stage = document.getElementById("stage");
  const address = new URL(location.href);
  address.searchParams.set("step", step);
  const answer = await fetch(address);
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  const fresh = page.getElementById("stage");
  if (!fresh) return location.assign(address);
  stage.replaceWith(fresh);
  history.replaceState(null, "", address);
  ready();
}

function ready() {
  const stage = document.getElementById("stage");
  const [place, last] = [Number(stage.dataset.place), Number(stage.dataset.last)];
  const button = stage.querySelector("[data-play]");
  button.hidden = last < 2;
  button.textContent = timer ? "暂停" : "播放";
  button.onclick = () => {
    if (timer) { clearTimeout(timer); timer = 0; button.textContent = "播放"; return; }
    timer = 1;
    go(place < last ? place + 1 : 1);
  };
  stage.querySelector("#step").onchange = (event) => { clearTimeout(timer); timer = 0; go(event.target.value); };
  if (timer) {
    clearTimeout(timer);
    timer = place < last ? setTimeout(() => go(place + 1), PAUSE) : 0;
    if (!timer) button.textContent = "播放";
  }
}

ready();
