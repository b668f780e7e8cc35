"""The pages, and the server that sends them.

``kit/`` holds the parts that several pages use. Every page has a folder, named as in :data:`aquadash.pages.PAGES`; its
``page.py`` draws the page and lists its ``SECTIONS``. A page imports from the kit and from its own folder only, the kit
from itself only; ``tests/test_architecture.py`` holds the code to it. ``server.py`` starts before any page.
"""
