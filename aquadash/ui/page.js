// Runs in the app's page before Streamlit's own scripts.

// Scroll the panel of Train, or a phone's page, to Advanced when it opens and again when its controls have come.
// "toggle" does not bubble. scrollIntoView would also scroll the page around the panel.
addEventListener("toggle", (event) => {
  const advanced = event.target, panel = advanced.closest(".st-key-train-panel");
  if (!advanced.open || !panel || !advanced.closest(".st-key-train-advanced")) return;
  const scrolls = panel.scrollHeight > panel.clientHeight && getComputedStyle(panel).overflowY === "auto";
  const show = () => scrolls
    ? panel.scrollBy(0, advanced.getBoundingClientRect().top - panel.getBoundingClientRect().top)
    : advanced.scrollIntoView();
  const grown = new ResizeObserver(show);
  grown.observe(advanced);
  setTimeout(() => grown.disconnect(), 3000);
}, true);

// Close the sidebar of a phone when a page is chosen in it, which Streamlit 1.67 does not do.
document.addEventListener("click", (event) => {
  if (matchMedia("(max-width: 767px)").matches && event.target.closest("[data-testid=stSidebarNavLink]"))
    document.querySelector("[data-testid=stSidebarCollapseButton] button")?.click();
});

// Merge all entries that follow one click or key into one entry of the browser's history; see "Back" in STREAMLIT.md.
{
  let acted = false;
  for (const kind of ["pointerdown", "keydown"]) addEventListener(kind, () => { acted = true; }, true);
  addEventListener("popstate", () => { acted = false; }, true);
  const push = history.pushState.bind(history);
  history.pushState = (...entry) => {
    if (acted) push(...entry); else history.replaceState(...entry);
    acted = false;
  };
}
