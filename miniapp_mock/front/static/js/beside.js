// The column beside the prescription editor: always there on a wide screen, above the editor and foldable on a phone.
// Who has already looked at this patient's records in this visit finds them here at once; every look is reported all the same.

import { LOOKED } from "./doctor.js";

const side = document.getElementById("beside");
const wide = matchMedia("(min-width: 1000px)");

const unfold = () => { if (wide.matches) side.open = true; };
wide.addEventListener("change", unfold);
unfold();
side.querySelector("summary").addEventListener("click", (event) => { if (wide.matches) event.preventDefault(); });

addEventListener("load", () => {
  if (sessionStorage.getItem(LOOKED + side.dataset.visit)) document.getElementById("look")?.click();
});
