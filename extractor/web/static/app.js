// What every page can do: theme, help, places by keys, messages, progress of a run.
// Works on the page as the server made it; without it every link and form works all the same.

const root = document.documentElement;
const typing = (element) => element instanceof HTMLElement && element.matches("input, select, textarea");

function announce(text) {
  const place = document.getElementById("announce");
  place.textContent = "";
  requestAnimationFrame(() => { place.textContent = text; });
}

let hiding = 0;
function toast(text, link) {
  const place = document.getElementById("toast");
  place.textContent = text;
  if (link) {
    const anchor = document.createElement("a");
    anchor.href = link.href;
    anchor.target = "_blank";
    anchor.rel = "noopener";
    anchor.textContent = ` ${link.text}`;
    place.append(anchor);
  }
  place.hidden = false;
  clearTimeout(hiding);
  hiding = setTimeout(() => { place.hidden = true; }, link ? 60000 : 7000);
}

// Other scripts say it by an event: an import would not have the address that its content gives it.
addEventListener("say", ({ detail }) => (detail.loud ? toast(detail.text, detail.link) : announce(detail.text)));

const help = document.getElementById("help");
document.getElementById("open-help").addEventListener("click", () => help.showModal());

const themeSwitch = document.getElementById("theme-switch");
function offer(other) {
  const address = new URL(themeSwitch.href);
  address.searchParams.set("theme", other);
  themeSwitch.href = address.href;
  themeSwitch.textContent = themeSwitch.dataset[other];
}
themeSwitch.addEventListener("click", (event) => {
  event.preventDefault(); // a new page would lose what is typed
  const theme = new URL(themeSwitch.href).searchParams.get("theme");
  root.dataset.theme = theme;
  document.cookie = `theme=${theme}; path=/; max-age=31536000; samesite=lax${location.protocol === "https:" ? "; secure" : ""}`;
  offer(theme === "dark" ? "light" : "dark");
});
if (root.dataset.theme === "auto" && matchMedia("(prefers-color-scheme: dark)").matches) offer("light");

// The address may have moved on since the page was made: a review goes from question to question.
document.getElementById("lang-switch").addEventListener("click", (event) => {
  event.preventDefault();
  const address = new URL(location.href);
  address.searchParams.set("lang", event.target.hreflang);
  location.assign(address.href);
});

const told = sessionStorage.getItem("told");
if (told) {
  sessionStorage.removeItem("told");
  toast(told);
}

let leader = 0;
document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing || event.keyCode === 229) return;
  if (event.repeat || help.open || typing(event.target)) return;
  const key = event.key.normalize("NFKC").length === 1 ? event.key.normalize("NFKC").toLowerCase() : event.key;
  if (leader && event.timeStamp - leader < 1200) {
    leader = 0;
    const place = document.querySelector(`[data-go="${CSS.escape(key)}"]`);
    if (place) {
      event.preventDefault();
      event.stopImmediatePropagation();
      place.click();
    }
    return;
  }
  if (key === "g") {
    leader = event.timeStamp;
  } else if (key === "?") {
    event.preventDefault();
    help.showModal();
  } else if (key === "/") {
    event.preventDefault();
    const field = document.querySelector("[data-filter]");
    if (field) field.focus();
    else location.href = "/queue#filter";
  } else if (key === "n" || (event.key === "Enter" && event.target === document.body)) {
    const start = document.getElementById("start");
    if (start) {
      event.preventDefault();
      start.click();
    }
  }
}, true);

if (location.hash === "#filter") document.querySelector("[data-filter]")?.focus();

for (const form of document.querySelectorAll("form[data-auto]")) {
  form.addEventListener("change", (event) => {
    if (event.target.matches("select")) form.requestSubmit();
  });
}

const upload = document.getElementById("upload");
upload?.addEventListener("submit", (event) => {
  event.preventDefault();
  const place = document.getElementById("sending");
  const button = upload.querySelector("button");
  const request = new XMLHttpRequest(); // fetch does not say how much has gone
  const say = (share) => {
    place.querySelector("progress").value = share;
    place.querySelector("p").textContent = upload.dataset.say.replace("{percent}", Math.floor(share));
  };
  const fail = (text) => {
    place.hidden = true;
    button.disabled = false;
    toast(text);
  };
  request.upload.addEventListener("progress", ({ loaded, total }) => say(100 * loaded / (total || 1)));
  request.addEventListener("error", () => fail(upload.dataset.sayLost));
  request.addEventListener("load", () => {
    if (request.status < 400) return location.assign(request.responseURL);
    const answer = new DOMParser().parseFromString(request.responseText, "text/html").getElementById("problem");
    fail(answer ? [...answer.querySelectorAll("h1, p.break")].map((part) => part.textContent).join(" ") : upload.dataset.sayLost);
  });
  request.open("POST", upload.action);
  request.setRequestHeader("Accept", "text/html");
  button.disabled = true;
  place.hidden = false;
  say(0);
  request.send(new FormData(upload));
});

const run = document.querySelector("[data-events]");
if (run) {
  const stream = new EventSource(run.dataset.events);
  const show = (event) => {
    const counts = JSON.parse(event.data).counts ?? {};
    const all = Object.values(counts).reduce((sum, count) => sum + count, 0);
    const over = all - (counts.queued ?? 0) - (counts.working ?? 0);
    const bar = run.querySelector("progress");
    bar.max = all || 1;
    bar.value = over;
    for (const [state, count] of Object.entries(counts)) {
      const place = run.querySelector(`[data-count="${CSS.escape(state)}"]`);
      if (place) place.textContent = count;
    }
    run.querySelector("[data-over]").textContent = run.dataset.say.replace("{done}", over).replace("{total}", all);
  };
  stream.addEventListener("progress", show);
  stream.addEventListener("end", (event) => {
    show(event);
    stream.close();
    location.reload();
  });
  addEventListener("pagehide", () => stream.close());
}
