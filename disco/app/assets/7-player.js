/* Plays a file of the catalogue, or the end of one track and the beginning of the next. */
(function () {
  "use strict";
  const { make, button, say } = window.disco;
  const SECONDS = 20;
  let audio = null;
  let then = null;
  let stopAt = null;

  const address = (row) => "/page/audio/" + encodeURIComponent(row.id);

  function show(text) {
    const bar = document.getElementById("player");
    bar.hidden = false;
    bar.replaceChildren(button("stop", "Stop", stop), make("span", { text }), audio);
  }

  function ready() {
    if (audio) return;
    audio = make("audio", { controls: true, preload: "metadata" });
    audio.addEventListener("ended", next);
    audio.addEventListener("timeupdate", () => { if (stopAt !== null && audio.currentTime >= stopAt) next(); });
    audio.addEventListener("error", () => { if (audio.getAttribute("src")) say("This browser cannot play the file."); });
  }

  function next() {
    stopAt = null;
    const step = then;
    then = null;
    if (step) step();
    else if (!audio.paused) audio.pause();
  }

  function track(row) {
    ready();
    then = null;
    stopAt = null;
    audio.src = address(row);
    show(row.title);
    audio.play().catch(() => {});
  }

  function transition(first, second) {
    ready();
    audio.src = address(first);
    show(first.title + " → " + second.title);
    audio.addEventListener("loadedmetadata", () => {
      audio.currentTime = Math.max(audio.duration - SECONDS, 0);
      then = () => {
        audio.src = address(second);
        stopAt = SECONDS;
        audio.play().catch(() => {});
      };
      audio.play().catch(() => {});
    }, { once: true });
  }

  function stop() {
    then = null;
    stopAt = null;
    audio.pause();
    audio.removeAttribute("src");
    audio.load();
    document.getElementById("player").hidden = true;
  }

  window.disco.player = { track, transition };
})();
