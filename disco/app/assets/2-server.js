/* Questions to the server: one at a time of each kind, the newest wins, and a server that is gone is waited for. */
(function () {
  "use strict";
  const RETRY_MS = 1500;

  class Refused extends Error {}

  let underway = 0;

  async function post(path, body) {
    underway++;
    try {
      return await ask(path, body);
    } finally {
      underway--;
    }
  }

  async function ask(path, body) {
    let response;
    try {
      response = await fetch(path, {
        method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify(body),
      });
    } catch (error) {
      throw new Error("away");
    }
    return told(response);
  }

  async function told(response) {
    let answer = null;
    try {
      answer = await response.json();
    } catch (error) {
      throw response.ok ? new Error("away") : new Refused("The server answered " + response.status + "; try again.");
    }
    if (!response.ok) throw new Refused((answer && answer.error) || "The server answered " + response.status + ".");
    return answer;
  }

  /* Ask again and again with the newest body; only the last answer is shown. */
  function latest(path, onAnswer, onRefused, onAway) {
    let waiting = null;
    let busy = false;
    async function run() {
      busy = true;
      while (waiting) {
        const body = waiting;
        waiting = null;
        try {
          const answer = await post(path, body);
          onAway(false);
          onAnswer(answer, body, waiting === null);
        } catch (error) {
          if (error instanceof Refused) {
            onAway(false);
            onRefused(error.message, body);
          } else {
            onAway(true);
            if (!waiting) waiting = body;
            await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
          }
        }
      }
      busy = false;
    }
    return function later(body) {
      waiting = body;
      if (!busy) run();
    };
  }

  async function save(body) {
    const response = await fetch("/page/export", {
      method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify(body),
    });
    if (!response.ok) return told(response);
    const name = decodeURIComponent((/filename\*=UTF-8''(.*)$/.exec(response.headers.get("content-disposition") || "") || [])[1] || "playlist");
    const link = document.createElement("a");
    link.href = URL.createObjectURL(await response.blob());
    link.download = name;
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 10000);
    return { name };
  }

  async function open(file, playlist) {
    const query = new URLSearchParams({ name: file.name });
    if (playlist !== undefined) query.set("playlist", playlist);
    let response;
    try {
      response = await fetch("/page/open?" + query, { method: "POST", body: file });
    } catch (error) {
      throw new Refused("The server did not take the file; it may be too large, or the server is away.");
    }
    return told(response);
  }

  window.disco.server = { post, latest, save, open, Refused, busy: () => underway > 0 };
})();
