// The header of every page: links to the pages, and the choice of a language.
import { byId, make } from "./dom.js";
import { currentLanguage, setLanguage, t } from "./language.js";
import { MESSAGES } from "./messages.js";

const PAGES = { transcribe: "index.html", prepare: "prepare.html" };

/**
 * Add the header and show the page in the visitor's language, now and whenever another one is chosen.
 * @param {() => void} render shows what the page's script has written, in the language now chosen
 */
export function startPage(render) {
  document.body.prepend(make("header", {}, navigation(), languageChoice()));
  const select = byId("language");
  const show = () => {
    document.documentElement.lang = select.value = currentLanguage();
    select.ariaLabel = t("choose_language");
    for (const element of document.querySelectorAll("[data-t]")) element.textContent = t(element.dataset.t);
    render();
  };
  select.onchange = () => {
    setLanguage(select.value);
    show();
  };
  show();
}

function navigation() {
  const links = Object.entries(PAGES).map(([name, href]) => {
    const link = make("a", { href });
    link.dataset.t = name;
    if (link.pathname === location.pathname.replace(/\/$/, "/index.html")) link.ariaCurrent = "page";
    return link;
  });
  return make("nav", {}, ...links);
}

function languageChoice() {
  const options = Object.entries(MESSAGES).map(([code, { language }]) => new Option(language, code));
  return make("select", { id: "language" }, ...options);
}

navigator.serviceWorker?.register("sw.js").catch(() => {}); // without it the pages only work online
