// Keys, and drafts that outlive a reload or a login. Without this script the page works by its buttons.
const form = document.getElementById("decide");
const follow = (id) => document.getElementById(id)?.click();
const decide = (verdict) => form?.querySelector(`button[value=${verdict}]`)?.click();

function edit() {
  const details = document.getElementById("edit");
  if (!details) return;
  details.open = true;
  const fields = details.querySelectorAll("textarea");
  fields[fields.length - 1].focus();
}

const KEYS = {
  a: () => decide("accept"),
  r: () => decide("reject"),
  e: edit,
  s: () => follow("skip"),
  j: () => follow("after"),
  k: () => follow("before"),
};

const tick = (number) => form?.querySelectorAll("input[type=checkbox]")[number - 1]?.click();

document.addEventListener("keydown", (event) => {
  const typing = event.target.matches("textarea, input[type=text]");
  if (typing && event.key === "Escape") event.target.blur();
  const save = event.key === "Enter" && (event.ctrlKey || event.metaKey);
  if (save && event.target.matches("textarea")) decide("edit");
  // A key that is held down must not decide about one sample after another.
  if (typing || event.repeat || event.ctrlKey || event.metaKey || event.altKey) return;
  if (/^[1-9]$/.test(event.key)) tick(Number(event.key));
  if (!KEYS[event.key]) return;
  event.preventDefault();
  KEYS[event.key]();
});

if (form) {
  const draft = `nocturne-draft-${form.dataset.content}`;
  const typed = () => [...form.querySelectorAll("textarea, input[type=text]")];
  const done = new URLSearchParams(location.search).get("done");
  if (done) sessionStorage.removeItem(`nocturne-draft-${done}`);
  const kept = JSON.parse(sessionStorage.getItem(draft) || "{}");
  for (const field of typed()) {
    if (!(field.name in kept) || field.value === kept[field.name]) continue;
    field.value = kept[field.name];
    field.closest("details")?.setAttribute("open", "");
  }
  form.addEventListener("input", () => {
    const changed = typed().filter((field) => field.value !== field.defaultValue);
    const values = Object.fromEntries(changed.map((field) => [field.name, field.value]));
    sessionStorage.setItem(draft, JSON.stringify(values));
  });
}
