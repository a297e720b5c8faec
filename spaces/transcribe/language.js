// The language of the page: chosen on it, or the browser's. A classic script at the start of the page's head, see
// page_head.py, because Gradio has no way to be told: it asks the browser, once, in its own scripts.
const pageLanguage = ((offered) => {
  const KEPT = "language"; // also the name in the address, where the server finds it
  const codeOf = (tag) => offered.find((code) => code === tag?.split("-")[0].toLowerCase());
  const address = new URL(window.location.href);
  let kept = null;
  try {
    kept = localStorage.getItem(KEPT);
  } catch {
    // a page within another site's page may have no storage
  }
  const chosen = codeOf(address.searchParams.get(KEPT)) ?? codeOf(kept);
  const tag = navigator.languages.find(codeOf);
  const shown = chosen ?? codeOf(tag) ?? "en";
  if (chosen && address.searchParams.get(KEPT) !== chosen) {
    address.searchParams.set(KEPT, chosen);
    history.replaceState(null, "", address);
  }
  // Gradio's own words for Brazil are another catalogue than those for Portugal.
  const told = shown === codeOf(tag) ? tag : shown === "pt" ? "pt-BR" : shown;
  if (navigator.language !== told) Object.defineProperty(navigator, "language", { value: told, configurable: true });

  /** Show the page in another language, also on later visits. The browser asks first if corrections would be lost. */
  function choose(code) {
    try {
      localStorage.setItem(KEPT, code);
    } catch {
      // the address is enough for this visit
    }
    address.searchParams.set(KEPT, code);
    window.location.assign(address);
  }

  return { shown, choose };
})(LANGUAGES);
