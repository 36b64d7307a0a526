// A page that answers a form stands at the form's address: reloading it would send the form again, over what was written since.
// It takes the address of the page it looks like instead.

const address = document.querySelector('meta[name="address"]')?.content;
if (address) history.replaceState(null, "", address);

// A phone that nobody touches asks for nothing: else a list left open would keep session and shift alive for ever (30 minutes).
const PATIENCE = 20 * 60 * 1000;
let touched = Date.now();
for (const kind of ["pointerdown", "keydown"]) addEventListener(kind, () => { touched = Date.now(); }, { passive: true });
document.addEventListener("htmx:beforeRequest", (event) => {
  if (event.target.hasAttribute("data-live") && Date.now() - touched > PATIENCE) event.preventDefault();
});

// In which visits of this tab the hospital's records were opened: beside the prescription they then open by themselves.
export const LOOKED = "looked:";
document.addEventListener("htmx:afterRequest", ({ detail }) => {
  const visit = /^\/doctor\/visits\/([0-9a-f-]{36})\/(?:history|beside)$/.exec(detail.pathInfo?.requestPath ?? "")?.[1];
  if (visit && detail.successful) sessionStorage.setItem(LOOKED + visit, "1");
});
