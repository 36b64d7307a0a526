// A page that answers a form stands at the form's address: reloading it would send the form again, over what was written since.
// It takes the address of the page it looks like instead.

const address = document.querySelector('meta[name="address"]')?.content;
if (address) history.replaceState(null, "", address);
