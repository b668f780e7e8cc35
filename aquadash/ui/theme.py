"""The few lines of CSS that the pages share. Colours come from ``.streamlit/config.toml``; these only follow them."""

from __future__ import annotations

import streamlit as st

#: Lines and tracks take the text's own colour, thinned, so that they suit the light and the dark theme alike. The
#: ``!important`` is against the framework's own rules: indented lists, captions too faint for weak eyes, links cut off
#: where the screen ends, and white text on primary buttons even where the dark theme makes them bright.
_CSS = """
<style>
[data-testid="stCaptionContainer"] { opacity: 0.82 !important; }
[data-testid^="stBaseButton-primary"]:not(:disabled) { color: light-dark(#ffffff, #08202c) !important; }
[data-testid="stPageLink-NavLink"] :is(span, div, p):not([data-testid="stIconMaterial"]) {
  white-space: normal !important; }
ul.aqua-cards { list-style: none; margin: 0 !important; padding: 0 0 0.25rem !important; display: grid; gap: 0.75rem;
  grid-template-columns: repeat(auto-fill, minmax(min(var(--aqua-size, 6rem), 100%), 1fr)); overflow-x: auto; }
ul.aqua-cards > li { margin: 0 !important; padding: 0 !important; }
.aqua-card { margin: 0; font-size: 0.8125rem; line-height: 1.3; max-width: 16rem; }
.aqua-card img { width: 100%; max-height: 18rem; display: block; border-radius: 0.35rem; object-fit: contain; }
.aqua-card img.aqua-pixels { image-rendering: pixelated; }
.aqua-card figcaption { margin-top: 0.25rem; overflow-wrap: anywhere; }
.aqua-card .aqua-sub { opacity: 0.82; }
ul.aqua-bars { list-style: none; margin: 0.25rem 0 0 !important; padding: 0 !important; }
ul.aqua-bars li { display: grid; grid-template-columns: 1fr 2.6rem; column-gap: 0.4rem; margin: 0 0 0.2rem !important;
  padding: 0 !important; font-size: 0.75rem; }
.aqua-bars .aqua-number { text-align: right; font-variant-numeric: tabular-nums; }
.aqua-bars .aqua-track { grid-column: 1 / 3; height: 0.3rem; border-radius: 0.15rem;
  background: color-mix(in srgb, currentColor 15%, transparent); }
.aqua-bars .aqua-fill { height: 100%; border-radius: 0.15rem; }
.aqua-operator { display: flex; gap: 0.6rem; align-items: flex-start; font-size: 0.8125rem; line-height: 1.35;
  margin-bottom: 0.6rem; }
.aqua-operator img { width: 4rem; height: 4rem; flex: none; border-radius: 0.35rem; image-rendering: pixelated; }
.aqua-operator .aqua-sub { opacity: 0.82; }
[class*="st-key-step"][class*="-fold"] button { justify-content: flex-start; text-align: left; }
[class*="st-key-step"][class*="-fold"] button :is(div, span) { white-space: normal; text-align: left;
  justify-content: flex-start; }
[class*="st-key-step"][class*="-fold"] button > * { width: 100%; }
[class*="st-key-step"]:not([class*="-slot"])[data-testid="stVerticalBlock"] { padding: 0.5rem 0.6rem; }
@media (min-width: 641px) {
  [data-testid="stColumn"]:has(.st-key-studio-view) { position: sticky; top: 4rem; align-self: flex-start;
    max-height: calc(100vh - 5rem); overflow-y: auto; }
}
@media (max-width: 640px) {
  ul.aqua-cards { gap: 0.4rem; }
  .aqua-card { font-size: 0.6875rem; }
  ul.aqua-bars li { font-size: 0.6875rem; }
}
</style>
"""


def inject() -> None:
    """Put the CSS into the page; call once a run, before the cards that need it."""
    st.html(_CSS)
