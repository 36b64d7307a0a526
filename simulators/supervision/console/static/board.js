// Asks for the board's figures every few seconds and draws the three charts. Without scripts the page reloads itself.
const root = document.querySelector("[data-live]");
const EVERY = 5000, HEIGHT = 230, ZONE = "Asia/Shanghai";
const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();
const clock = new Intl.DateTimeFormat("zh-CN", { timeZone: ZONE, hour: "2-digit", minute: "2-digit", hourCycle: "h23" });
const STYLES = [["blue", []], ["green", [9, 6]], ["orange", [2, 5]]];
const plots = new Map();
let last = null;

// A length of time in as few signs as an axis has room for.
const span = (seconds) => (seconds < 120 ? `${+seconds.toFixed(1)}秒` : seconds < 7200 ? `${+(seconds / 60).toFixed(1)}分` : `${+(seconds / 3600).toFixed(1)}时`);

const charts = {
  hours: ({ hours }) => [hours.at, hours.series],
  arrived: ({ minutes }) => [minutes.at, { 到达: minutes.arrived }],
  lag: ({ minutes }) => [minutes.at, { "中位": minutes.median, "99%": minutes.slow }],
};

function drawn(place, at, series) {
  const axis = () => ({ stroke: colour("muted"), grid: { stroke: colour("line"), width: 1 }, ticks: { stroke: colour("line") }, font: "15px sans-serif" });
  const whole = place.dataset.chart !== "lag";
  return new uPlot({
    width: place.clientWidth, height: HEIGHT, tzDate: (second) => uPlot.tzDate(new Date(second * 1000), ZONE),
    cursor: { y: false, drag: { x: false, y: false } },
    axes: [
      { ...axis(), space: 70, values: (_, splits) => splits.map((second) => clock.format(second * 1000)) },
      { ...axis(), size: 64, values: (_, splits) => splits.map(whole ? String : span), incrs: whole ? [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000] : undefined },
    ],
    scales: { y: { range: (_, low, high) => [Math.min(0, low ?? 0), Math.max(high ?? 0, whole ? 4 : 1)] } },
    series: [
      { label: "时刻", value: (_, second) => (second == null ? "—" : clock.format(second * 1000)) },
      ...Object.keys(series).map((label, index) => ({
        label, stroke: colour(STYLES[index][0]), dash: STYLES[index][1], width: 2.5, spanGaps: true, points: { show: false },
        value: (_, value) => (value == null ? "—" : whole ? value : span(value)),
      })),
    ],
  }, [at, ...Object.values(series)], place);
}

function draw(live, afresh = false) {
  for (const place of root.querySelectorAll("[data-chart]")) {
    const [at, series] = charts[place.dataset.chart](live);
    const plot = plots.get(place);
    if (plot && !afresh) { plot.setData([at, ...Object.values(series)]); continue; }
    plot?.destroy();
    plots.set(place, drawn(place, at, series));
  }
}

function write(live) {
  root.querySelector("[data-at]").textContent = live.at;
  for (const [key, figure] of Object.entries(live.figures)) {
    const box = root.querySelector(`[data-figure="${CSS.escape(key)}"]`);
    if (!box) continue;
    box.classList.toggle("bad", figure.bad);
    const shown = box.querySelector("dd a") ?? box.querySelector("dd");
    shown.textContent = figure.value;
    if (shown.href) shown.setAttribute("href", figure.href);
  }
}

async function refresh() {
  const state = root.querySelector("[data-state]");
  try {
    const answer = await fetch(root.dataset.live, { headers: { accept: "application/json" } });
    if (answer.redirected) return location.reload();  // the session is over
    last = await answer.json();
    write(last);
    draw(last);
    state.textContent = "每 5 秒更新";
  } catch {
    state.textContent = "连接中断，正在重试";
  }
  setTimeout(refresh, EVERY);
}

new ResizeObserver(() => {
  for (const [place, plot] of plots) plot.setSize({ width: place.clientWidth, height: HEIGHT });
}).observe(root);
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => last && draw(last, true));
refresh();
