// A new message shows by itself, without losing the place that is being read.
(() => {
  const { openid, newest } = document.body.dataset;
  const look = async () => {
    if (document.hidden) return;
    try {
      const answer = await fetch(`/phone/${encodeURIComponent(openid)}/messages`, { cache: "no-store" });
      const [first] = (await answer.json()).messages;
      if (first && first.id > Number(newest)) location.reload();
    } catch {
      // the mock is restarting: look again later
    }
  };
  setInterval(look, 3000);
  document.addEventListener("visibilitychange", look);
})();
